// The served resource types, one file each. Inner header of stacks.
#pragma once

#include "stacks/types/type.h"

namespace laketap::stacks {

const Type& bucket_type();
const Type& role_type();
const Type& policy_type();
const Type& delivery_stream_type();
const Type& database_type();
const Type& table_type();
const Type& crawler_type();

}  // namespace laketap::stacks
