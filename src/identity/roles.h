// Roles and their policies: kept in state and shown. Source: IAM API reference.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "identity/identity.h"

namespace laketap::identity {

struct Role {
  std::string name, path = "/", id, arn, trust_policy, description;
  Timestamp created;
  int64_t session_seconds_max = 3600;
  std::string permissions_boundary;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> inline_policies;  // Name -> document.
  std::vector<std::string> attached;                   // ARNs of managed policies.
};

// Thread-safe. Errors: not_found, exists, conflict - a role with policies is not removed, invalid.
class Roles {
 public:
  Roles(state::Database& database, io::Clock& clock, io::Random& random)
      : database_(database), clock_(clock), random_(random) {}

  Result<Role> create(const Caller& caller, Role wanted);
  Result<Role> find(const std::string& name) const;
  Result<std::vector<Role>> list(const std::string& path_prefix) const;  // By name.
  Result<> remove(const std::string& name);
  // Runs `change` on the stored role.
  Result<> update(const std::string& name, const std::function<Result<>(Role&)>& change);

 private:
  state::Database& database_;
  io::Clock& clock_;
  io::Random& random_;
};

}  // namespace laketap::identity
