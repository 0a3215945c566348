// Functions of the template language: Ref, Fn::GetAtt, Fn::Sub, ... -> values. Inner header of
// stacks. Source: CloudFormation User Guide, "Intrinsic function reference".
#pragma once

#include <functional>
#include <set>

#include "stacks/template.h"

namespace laketap::stacks {

// What names stand for while a template is evaluated. Borrowed members must outlive the calls.
struct Scope {
  const Template* made = nullptr;
  std::map<std::string, boost::json::value>
      parameters;                                    // Text, or an array of texts for list types.
  std::map<std::string, boost::json::value> pseudo;  // AWS::Region, ...
  std::map<std::string, bool> conditions;
  // The physical id of a resource that is there already.
  std::function<Outcome<boost::json::value>(const std::string& logical_id)> ref;
  std::function<Outcome<boost::json::value>(const std::string& logical_id,
                                            const std::string& attribute)>
      attribute;
  std::function<Outcome<boost::json::value>(const std::string& name)> import;
};

// Absent: AWS::NoValue, so the member or item that holds it disappears.
Outcome<std::optional<boost::json::value>> evaluate(const boost::json::value& value,
                                                    const Scope& scope);

// All conditions of the template, in any order of definition.
Outcome<std::map<std::string, bool>> evaluate_conditions(const Template& made, const Scope& scope);

// The given values, the defaults and the constraints of the parameters.
struct GivenParameter {
  std::string key, value;
  bool use_previous = false;
};
Outcome<std::map<std::string, boost::json::value>> resolve_parameters(
    const Template& made, const std::vector<GivenParameter>& given,
    const std::map<std::string, std::string>& previous);

// The logical ids that `value` refers to by Ref, Fn::GetAtt and Fn::Sub, parameters and pseudo
// parameters included.
std::set<std::string> references(const boost::json::value& value);

// Every reference names a parameter, pseudo parameter or resource; no cycle; conditions exist.
// Gives the resources in an order in which each comes after what it needs (independent ones by
// logical id order of the text).
Outcome<std::vector<std::string>> creation_order(const Template& made);

}  // namespace laketap::stacks
