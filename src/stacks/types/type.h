// A resource type of CloudFormation: which properties it has, and which calls make and remove it.
// Inner header of stacks. Source: CloudFormation User Guide, "Resource and property types
// reference".
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <span>

#include "stacks/stacks.h"

namespace laketap::stacks {

enum class Kind { text, integer, number, boolean, json, map, list, object };

// One property. `members` describes an object's members or a list's items (one nameless entry for a
// list of scalars). A json or map property is passed on as it is.
struct Property {
  std::string_view name;
  Kind kind = Kind::text;
  bool required = false;
  std::span<const Property> members = {};
};

// Checks `value` against `properties` and turns each scalar into its property's type: "60" -> 60,
// 'false' -> false. `schema_texts`: the type answers with the newer texts ("#/A: extraneous key [X]
// is not permitted").
Outcome<boost::json::object> checked_properties(const boost::json::object& value,
                                                std::span<const Property> properties,
                                                const std::string& logical_id, bool schema_texts);

// The calls a type makes, in the name of the stack's owner.
struct Context {
  Services& services;
  const identity::Caller& caller;
  std::string stack_name, logical_id;

  Outcome<boost::json::object> call(std::string_view service, std::string_view operation,
                                    const boost::json::object& input) const {
    return services.call(caller, service, operation, input);
  }
};

// How an unnamed resource gets its physical name.
struct NameRule {
  std::string_view property;  // Dotted path of the name the user may give.
  size_t length_max = 64;
  bool lower_case = false;
};

class Type {
 public:
  virtual ~Type() = default;
  virtual std::string_view name() const = 0;
  virtual std::span<const Property> properties() const = 0;
  virtual NameRule name_rule() const = 0;
  virtual bool schema_texts() const { return false; }

  // Each takes checked properties and the physical id that was written down before the first call.
  // exists() tells whether that name is taken, so that a crash after create() is not mistaken for a
  // clash.
  virtual Outcome<bool> exists(const Context&, const std::string& id,
                               const boost::json::object& properties) const = 0;
  virtual Outcome<bool> create(const Context&, const std::string& id,
                               const boost::json::object& properties) const = 0;
  // Removing what is gone already succeeds.
  virtual Outcome<bool> remove(const Context&, const std::string& id,
                               const boost::json::object& properties) const = 0;
  // Fn::GetAtt; absent when the type has no such attribute.
  virtual std::optional<std::string> attribute(const Context&, const std::string& id,
                                               std::string_view name) const = 0;
};

// Null when the type is not served.
const Type* find_type(std::string_view name);

// True when `refusal` says that the thing is not there.
bool says_missing(const Refusal& refusal);

}  // namespace laketap::stacks
