// AWS::IAM::Role and AWS::IAM::Policy (an inline policy of its roles).
#include <array>
#include <boost/json.hpp>

#include "stacks/types/types.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::array kText{Property{""}};
constexpr std::array kInline{Property{"PolicyName", Kind::text, true},
                             Property{"PolicyDocument", Kind::json, true}};
constexpr std::array kRoleProperties{
    Property{"AssumeRolePolicyDocument", Kind::json, true},
    Property{"Policies", Kind::list, false, kInline},
    Property{"ManagedPolicyArns", Kind::list, false, kText},
    Property{"Path"},
    Property{"RoleName"},
    Property{"Description"},
    Property{"MaxSessionDuration", Kind::integer},
    Property{"PermissionsBoundary"},
    Property{"Tags", Kind::json},
};
constexpr std::array kPolicyProperties{
    Property{"PolicyName", Kind::text, true},     Property{"PolicyDocument", Kind::json, true},
    Property{"Roles", Kind::list, false, kText},  Property{"Users", Kind::list, false, kText},
    Property{"Groups", Kind::list, false, kText},
};

std::string document_text(const json::value& document) {
  return document.is_string() ? std::string(document.get_string()) : json::serialize(document);
}

class Role : public Type {
 public:
  std::string_view name() const override { return "AWS::IAM::Role"; }
  std::span<const Property> properties() const override { return kRoleProperties; }
  NameRule name_rule() const override { return {.property = "RoleName", .length_max = 64}; }

  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object&) const override {
    const auto found = context.call("iam", "GetRole", {{"RoleName", id}});
    if (found) return true;
    if (says_missing(found.error())) return false;
    return std::unexpected(found.error());
  }

  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    json::object input{
        {"RoleName", id},
        {"AssumeRolePolicyDocument", document_text(properties.at("AssumeRolePolicyDocument"))}};
    for (const char* member :
         {"Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags"})
      if (const json::value* value = properties.if_contains(member)) input[member] = *value;
    if (const auto made = context.call("iam", "CreateRole", input); !made)
      return std::unexpected(made.error());
    if (const json::value* policies = properties.if_contains("Policies"))
      for (const json::value& policy : policies->as_array()) {
        const auto put =
            context.call("iam", "PutRolePolicy",
                         {{"RoleName", id},
                          {"PolicyName", policy.at("PolicyName")},
                          {"PolicyDocument", document_text(policy.at("PolicyDocument"))}});
        if (!put) return std::unexpected(put.error());
      }
    if (const json::value* arns = properties.if_contains("ManagedPolicyArns"))
      for (const json::value& arn : arns->as_array()) {
        const auto attached =
            context.call("iam", "AttachRolePolicy", {{"RoleName", id}, {"PolicyArn", arn}});
        if (!attached) return std::unexpected(attached.error());
      }
    return true;
  }

  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    if (const json::value* policies = properties.if_contains("Policies"))
      for (const json::value& policy : policies->as_array()) {
        const auto gone = context.call("iam", "DeleteRolePolicy",
                                       {{"RoleName", id}, {"PolicyName", policy.at("PolicyName")}});
        if (!gone && !says_missing(gone.error())) return std::unexpected(gone.error());
      }
    if (const json::value* arns = properties.if_contains("ManagedPolicyArns"))
      for (const json::value& arn : arns->as_array()) {
        const auto gone =
            context.call("iam", "DetachRolePolicy", {{"RoleName", id}, {"PolicyArn", arn}});
        if (!gone && !says_missing(gone.error())) return std::unexpected(gone.error());
      }
    const auto gone = context.call("iam", "DeleteRole", {{"RoleName", id}});
    if (gone || says_missing(gone.error())) return true;
    return std::unexpected(gone.error());
  }

  std::optional<std::string> attribute(const Context& context, const std::string& id,
                                       std::string_view name) const override {
    if (name != "Arn" && name != "RoleId") return std::nullopt;
    const auto found = context.call("iam", "GetRole", {{"RoleName", id}});
    if (!found) return std::nullopt;
    const json::value* role = found->if_contains("Role");
    const json::value* value =
        role && role->is_object() ? role->get_object().if_contains(name) : nullptr;
    return value ? scalar_text(*value) : std::nullopt;
  }
};

// Physical id: a name of the stack's; the policy itself is known by PolicyName inside each role.
class Policy : public Type {
 public:
  std::string_view name() const override { return "AWS::IAM::Policy"; }
  std::span<const Property> properties() const override { return kPolicyProperties; }
  NameRule name_rule() const override { return {.property = "", .length_max = 128}; }

  Outcome<bool> exists(const Context&, const std::string&, const json::object&) const override {
    return false;
  }

  Outcome<bool> create(const Context& context, const std::string&,
                       const json::object& properties) const override {
    for (const char* principal : {"Users", "Groups"})
      if (const json::value* list = properties.if_contains(principal);
          list && !list->as_array().empty())
        return refuse(std::string("IAM ") + principal + " are not served yet (docs/gaps.md)",
                      "NotImplemented");
    const json::value* roles = properties.if_contains("Roles");
    if (!roles || roles->as_array().empty())
      return refuse("At least one of [Groups,Roles,Users] must be non-empty.");
    for (const json::value& role : roles->as_array()) {
      const auto put =
          context.call("iam", "PutRolePolicy",
                       {{"RoleName", role},
                        {"PolicyName", properties.at("PolicyName")},
                        {"PolicyDocument", document_text(properties.at("PolicyDocument"))}});
      if (!put) return std::unexpected(put.error());
    }
    return true;
  }

  Outcome<bool> remove(const Context& context, const std::string&,
                       const json::object& properties) const override {
    const json::value* roles = properties.if_contains("Roles");
    if (!roles) return true;
    for (const json::value& role : roles->as_array()) {
      const auto gone =
          context.call("iam", "DeleteRolePolicy",
                       {{"RoleName", role}, {"PolicyName", properties.at("PolicyName")}});
      if (!gone && !says_missing(gone.error())) return std::unexpected(gone.error());
    }
    return true;
  }

  std::optional<std::string> attribute(const Context&, const std::string& id,
                                       std::string_view name) const override {
    if (name == "Id") return id;
    return std::nullopt;
  }
};

}  // namespace

const Type& role_type() {
  static const Role kType;
  return kType;
}
const Type& policy_type() {
  static const Policy kType;
  return kType;
}

}  // namespace laketap::stacks
