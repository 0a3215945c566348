// The doors of IAM (roles and their policies) and STS.
#pragma once

#include "identity/roles.h"
#include "wire/wire.h"

namespace laketap::api::iam {

// Borrows `roles`; it must outlive the last call of `operations`.
void register_iam(wire::Operations& operations, identity::Roles& roles);
void register_sts(wire::Operations& operations);

}  // namespace laketap::api::iam
