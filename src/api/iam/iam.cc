#include "api/iam/iam.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "http/url.h"
#include "wire/iam.h"
#include "wire/sts.h"

namespace laketap::api::iam {
namespace {

namespace model = wire::iam;
using wire::Answer;
using wire::Call;

std::unexpected<wire::Fault> to_fault(const Error& error) {
  switch (error.kind) {
    case ErrorKind::not_found: return wire::refuse("NoSuchEntity", 404, error.what);
    case ErrorKind::exists: return wire::refuse("EntityAlreadyExists", 409, error.what);
    case ErrorKind::conflict: return wire::refuse("DeleteConflict", 409, error.what);
    case ErrorKind::invalid:
    case ErrorKind::too_large: return wire::refuse("ValidationError", 400, error.what);
    case ErrorKind::denied: return wire::refuse("AccessDenied", 403, error.what);
    case ErrorKind::unsupported: return wire::refuse("NotImplemented", 501, error.what);
    case ErrorKind::corrupt:
    case ErrorKind::full:
    case ErrorKind::unavailable:
    case ErrorKind::cancelled: return wire::refuse("ServiceFailure", 500, "internal error");
  }
  std::unreachable();
}

identity::Caller caller_of(const Call& call) {
  return {.account = call.account,
          .arn = call.caller_arn,
          .access_key_id = call.access_key_id,
          .is_root = true,
          .region = call.region};
}

// Policies must be JSON objects with a Statement; what they say is kept, not enforced.
std::optional<wire::Fault> check_document(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object())
    return wire::Fault{"MalformedPolicyDocument", 400, "This policy contains invalid Json", {}};
  if (!value.get_object().contains("Statement"))
    return wire::Fault{"MalformedPolicyDocument", 400, "Syntax errors in policy.", {}};
  return std::nullopt;
}

// IAM answers documents URL-encoded (RFC 3986).
std::string encoded(const std::string& document) {
  return http::percent_encode(document);
}

model::Role describe(const identity::Role& role) {
  model::Role out;
  out.path = role.path;
  out.role_name = role.name;
  out.role_id = role.id;
  out.arn = role.arn;
  out.create_date = role.created;
  out.assume_role_policy_document = encoded(role.trust_policy);
  if (!role.description.empty()) out.description = role.description;
  out.max_session_duration = role.session_seconds_max;
  if (!role.tags.empty()) {
    out.tags.emplace();
    for (const auto& [key, value] : role.tags) out.tags->push_back({.key = key, .value = value});
  }
  return out;
}

class Doors {
 public:
  explicit Doors(identity::Roles& roles) : roles_(roles) {}

  Answer<model::CreateRoleResponse> create(const Call& call, model::CreateRoleRequest input) const {
    if (auto fault = check_document(input.assume_role_policy_document))
      return std::unexpected(*fault);
    identity::Role wanted{.name = input.role_name,
                          .path = input.path.value_or("/"),
                          .trust_policy = input.assume_role_policy_document,
                          .description = input.description.value_or("")};
    wanted.session_seconds_max = input.max_session_duration.value_or(3600);
    wanted.permissions_boundary = input.permissions_boundary.value_or("");
    for (const model::Tag& tag : input.tags.value_or(std::vector<model::Tag>()))
      wanted.tags[tag.key] = tag.value;
    const Result<identity::Role> role = roles_.create(caller_of(call), std::move(wanted));
    if (!role) return to_fault(role.error());
    return model::CreateRoleResponse{.role = describe(*role)};
  }
  Answer<model::GetRoleResponse> get(const Call&, model::GetRoleRequest input) const {
    const Result<identity::Role> role = roles_.find(input.role_name);
    if (!role) return to_fault(role.error());
    return model::GetRoleResponse{.role = describe(*role)};
  }
  Answer<model::ListRolesResponse> list(const Call&, model::ListRolesRequest input) const {
    const auto roles = roles_.list(input.path_prefix.value_or("/"));
    if (!roles) return to_fault(roles.error());
    model::ListRolesResponse output;
    output.is_truncated = false;
    for (const identity::Role& role : *roles) output.roles.push_back(describe(role));
    return output;
  }
  Answer<wire::Empty> remove(const Call&, model::DeleteRoleRequest input) const {
    const Result<> done = roles_.remove(input.role_name);
    if (!done) return to_fault(done.error());
    return wire::Empty{};
  }
  Answer<wire::Empty> update_trust(const Call&, model::UpdateAssumeRolePolicyRequest input) const {
    if (auto fault = check_document(input.policy_document)) return std::unexpected(*fault);
    return change(input.role_name, [&](identity::Role& role) -> Result<> {
      role.trust_policy = input.policy_document;
      return {};
    });
  }
  Answer<wire::Empty> put_policy(const Call&, model::PutRolePolicyRequest input) const {
    if (auto fault = check_document(input.policy_document)) return std::unexpected(*fault);
    return change(input.role_name, [&](identity::Role& role) -> Result<> {
      role.inline_policies[input.policy_name] = input.policy_document;
      return {};
    });
  }
  Answer<model::GetRolePolicyResponse> get_policy(const Call&,
                                                  model::GetRolePolicyRequest input) const {
    const Result<identity::Role> role = roles_.find(input.role_name);
    if (!role) return to_fault(role.error());
    const auto found = role->inline_policies.find(input.policy_name);
    if (found == role->inline_policies.end())
      return wire::refuse(
          "NoSuchEntity", 404,
          fmt::format("The role policy with name {} cannot be found.", input.policy_name));
    return model::GetRolePolicyResponse{.role_name = role->name,
                                        .policy_name = input.policy_name,
                                        .policy_document = encoded(found->second)};
  }
  Answer<model::ListRolePoliciesResponse> list_policies(
      const Call&, model::ListRolePoliciesRequest input) const {
    const Result<identity::Role> role = roles_.find(input.role_name);
    if (!role) return to_fault(role.error());
    model::ListRolePoliciesResponse output;
    output.is_truncated = false;
    for (const auto& [name, document] : role->inline_policies) output.policy_names.push_back(name);
    return output;
  }
  Answer<wire::Empty> delete_policy(const Call&, model::DeleteRolePolicyRequest input) const {
    return change(input.role_name, [&](identity::Role& role) -> Result<> {
      if (role.inline_policies.erase(input.policy_name) == 0)
        return fail(
            ErrorKind::not_found,
            fmt::format("The role policy with name {} cannot be found.", input.policy_name));
      return {};
    });
  }
  Answer<wire::Empty> attach(const Call&, model::AttachRolePolicyRequest input) const {
    return change(input.role_name, [&](identity::Role& role) -> Result<> {
      if (std::ranges::find(role.attached, input.policy_arn) == role.attached.end())
        role.attached.push_back(input.policy_arn);
      return {};
    });
  }
  Answer<wire::Empty> detach(const Call&, model::DetachRolePolicyRequest input) const {
    return change(input.role_name, [&](identity::Role& role) -> Result<> {
      if (std::erase(role.attached, input.policy_arn) == 0)
        return fail(ErrorKind::not_found,
                    fmt::format("Policy {} was not found.", input.policy_arn));
      return {};
    });
  }
  Answer<model::ListAttachedRolePoliciesResponse> list_attached(
      const Call&, model::ListAttachedRolePoliciesRequest input) const {
    const Result<identity::Role> role = roles_.find(input.role_name);
    if (!role) return to_fault(role.error());
    model::ListAttachedRolePoliciesResponse output;
    output.is_truncated = false;
    output.attached_policies.emplace();
    for (const std::string& arn : role->attached)
      output.attached_policies->push_back(
          {.policy_name = arn.substr(arn.rfind('/') + 1), .policy_arn = arn});
    return output;
  }

 private:
  Answer<wire::Empty> change(const std::string& name,
                             const std::function<Result<>(identity::Role&)>& how) const {
    const Result<> done = roles_.update(name, how);
    if (!done) return to_fault(done.error());
    return wire::Empty{};
  }
  identity::Roles& roles_;
};

}  // namespace

void register_iam(wire::Operations& operations, identity::Roles& roles) {
  const auto doors = std::make_shared<const Doors>(roles);
  const auto add = [&]<class In, class Out>(std::string_view name,
                                            Answer<Out> (Doors::*door)(const Call&, In) const) {
    operations.add<In, Out>("iam", name, [doors, door](const Call& call, In input) {
      return ((*doors).*door)(call, std::move(input));
    });
  };
  add("CreateRole", &Doors::create);
  add("GetRole", &Doors::get);
  add("ListRoles", &Doors::list);
  add("DeleteRole", &Doors::remove);
  add("UpdateAssumeRolePolicy", &Doors::update_trust);
  add("PutRolePolicy", &Doors::put_policy);
  add("GetRolePolicy", &Doors::get_policy);
  add("ListRolePolicies", &Doors::list_policies);
  add("DeleteRolePolicy", &Doors::delete_policy);
  add("AttachRolePolicy", &Doors::attach);
  add("DetachRolePolicy", &Doors::detach);
  add("ListAttachedRolePolicies", &Doors::list_attached);
}

void register_sts(wire::Operations& operations) {
  operations.add<wire::sts::GetCallerIdentityRequest, wire::sts::GetCallerIdentityResponse>(
      "sts", "GetCallerIdentity",
      [](const Call& call,
         wire::sts::GetCallerIdentityRequest) -> Answer<wire::sts::GetCallerIdentityResponse> {
        return wire::sts::GetCallerIdentityResponse{
            .user_id = call.account, .account = call.account, .arn = call.caller_arn};
      });
}

}  // namespace laketap::api::iam
