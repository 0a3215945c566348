#include "stacks/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::string_view kStackType = "AWS::CloudFormation::Stack";
constexpr size_t kSuffixLength = 12;

std::string described(const Refusal& refusal, std::string_view type) {
  if (refusal.code == "ValidationError" || refusal.code.empty()) return refusal.message;
  const std::string_view service = type.substr(5, type.rfind("::") - 5);  // AWS::S3::Bucket -> S3
  return fmt::format("{} (Service: {}, Error Code: {})", refusal.message, service, refusal.code);
}

const json::value* at_path(const json::object& object, std::string_view path) {
  const size_t dot = path.find('.');
  const json::value* found = object.if_contains(path.substr(0, dot));
  if (dot == std::string_view::npos || !found) return found;
  return found->is_object() ? at_path(found->get_object(), path.substr(dot + 1)) : nullptr;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

StackEvent stack_event(const Stack& stack, io::Clock& clock, io::Random& random) {
  return {.id = io::uuid_v4(random),
          .stack_id = stack.id,
          .stack_name = stack.name,
          .logical_id = stack.name,
          .physical_id = stack.id,
          .type = std::string(kStackType),
          .status = stack.status,
          .reason = stack.status_reason,
          .properties = "",
          .at = clock.now()};
}

Result<> Run::run() {
  if (stack_.status == "CREATE_IN_PROGRESS") return run_create();
  if (stack_.status == "ROLLBACK_IN_PROGRESS") return run_rollback();
  if (stack_.status == "DELETE_IN_PROGRESS") return run_delete();
  return {};
}

Result<> Run::run_create() {
  const Outcome<Template> made = parse_template(stack_.body);
  if (!made)
    return fail(ErrorKind::corrupt, "a stored template does not parse: " + made.error().message);
  const Outcome<std::vector<std::string>> order = creation_order(*made);
  if (!order)
    return fail(ErrorKind::corrupt, "a stored template has no order: " + order.error().message);

  std::vector<GivenParameter> given;
  for (const auto& [key, value] : stack_.parameters) given.push_back({key, value, false});
  const auto parameters = resolve_parameters(*made, given, {});
  if (!parameters)
    return fail(ErrorKind::corrupt, "stored parameters: " + parameters.error().message);
  parameters_ = *parameters;
  const auto conditions = evaluate_conditions(*made, scope(*made));
  if (!conditions) return roll_back_because({conditions.error().message});
  conditions_ = *conditions;

  for (const std::string& id : *order) {
    const Resource& resource = *made->find(id);
    if (!resource.condition.empty() && !conditions_[resource.condition]) continue;
    StackResource* record = find(id);
    const bool resumed = record != nullptr;
    if (resumed && record->status == "CREATE_COMPLETE") continue;
    if (stop_.stop_requested()) return {};  // Carried on at the next start.
    if (!record) {
      stack_.resources.push_back({.logical_id = id,
                                  .type = resource.type,
                                  .physical_id = "",
                                  .status = "",
                                  .reason = "",
                                  .updated = clock_.now(),
                                  .properties = {}});
      record = &stack_.resources.back();
    }
    const Result<bool> done = create_one(resource, *record, resumed);
    if (!done) return fail(done.error());
    if (!*done) return roll_back_because({id});
  }
  return finish_create(*made);
}

// False: the resource failed, and its event says why.
Result<bool> Run::create_one(const Resource& resource, StackResource& record, bool resumed) {
  const Type* type = find_type(resource.type);
  const auto refused = [&](const Refusal& why) -> Result<bool> {
    if (const Result<> saved = step(record, "CREATE_FAILED", described(why, resource.type)); !saved)
      return fail(saved.error());
    return false;
  };
  if (!type) return refused({"", "Unrecognized resource types: [" + resource.type + "]"});
  const Template& made = *scope_template_;
  const auto evaluated = evaluate(json::value(resource.properties), scope(made));
  if (!evaluated) return refused(evaluated.error());
  const json::object plain = *evaluated ? (*evaluated)->as_object() : json::object();
  const auto properties =
      checked_properties(plain, type->properties(), resource.logical_id, type->schema_texts());
  if (!properties) return refused(properties.error());

  const Context calls = context(record);
  const bool written_down = resumed && !record.physical_id.empty();
  if (!written_down) {
    record.properties = *properties;
    if (const Result<> saved = step(record, "CREATE_IN_PROGRESS", "", json::serialize(*properties));
        !saved)
      return fail(saved.error());
    const std::string id = new_physical_id(*type, resource, *properties);
    const Outcome<bool> taken = type->exists(calls, id, *properties);
    if (!taken) return refused(taken.error());
    if (*taken) return refused({"", id + " already exists"});
    record.physical_id = id;
    if (const Result<> saved = step(record, "CREATE_IN_PROGRESS", "Resource creation Initiated",
                                    json::serialize(*properties));
        !saved)
      return fail(saved.error());
  } else {
    // The name was ours before the crash: what stands under it is half made by us. Make it anew.
    const Outcome<bool> gone = type->remove(calls, record.physical_id, record.properties);
    if (!gone) return refused(gone.error());
  }
  if (const Outcome<bool> created = type->create(calls, record.physical_id, *properties); !created)
    return refused(created.error());
  if (const Result<> saved = step(record, "CREATE_COMPLETE", "", json::serialize(*properties));
      !saved)
    return fail(saved.error());
  return true;
}

Result<> Run::finish_create(const Template& made) {
  stack_.outputs.clear();
  for (const Output& output : made.outputs) {
    if (!output.condition.empty() && !conditions_[output.condition]) continue;
    const auto value = evaluate(output.value, scope(made));
    if (!value) return roll_back_because({value.error().message});
    StackOutput one{
        .key = output.key, .value = "", .description = output.description, .export_name = ""};
    if (*value) one.value = scalar_text(**value).value_or(json::serialize(**value));
    if (output.export_name)
      if (const auto name = evaluate(*output.export_name, scope(made)); name && *name)
        one.export_name = scalar_text(**name).value_or("");
    stack_.outputs.push_back(std::move(one));
  }
  return step_stack("CREATE_COMPLETE");
}

Result<> Run::roll_back_because(const std::vector<std::string>& failed) {
  const std::string list = fmt::format("{}", fmt::join(failed, ", "));
  const std::string what = fmt::format("The following resource(s) failed to create: [{}]. ", list);
  if (stack_.on_failure == "DO_NOTHING") return step_stack("CREATE_FAILED", what);
  if (stack_.on_failure == "DELETE") {
    if (const Result<> saved = step_stack("DELETE_IN_PROGRESS", what + "Delete requested by user.");
        !saved)
      return saved;
    return run_delete();
  }
  if (const Result<> saved =
          step_stack("ROLLBACK_IN_PROGRESS", what + "Rollback requested by user.");
      !saved)
    return saved;
  return run_rollback();
}

Result<> Run::run_rollback() {
  std::vector<std::string> failed;
  for (auto record = stack_.resources.rbegin(); record != stack_.resources.rend(); ++record) {
    if (stop_.stop_requested()) return {};
    const Result<bool> done = remove_one(*record);
    if (!done) return fail(done.error());
    if (!*done) failed.push_back(record->logical_id);
  }
  if (failed.empty()) return step_stack("ROLLBACK_COMPLETE");
  return step_stack(
      "ROLLBACK_FAILED",
      fmt::format("The following resource(s) failed to delete: [{}]. ", fmt::join(failed, ", ")));
}

Result<> Run::run_delete() {
  std::vector<std::string> failed;
  for (auto record = stack_.resources.rbegin(); record != stack_.resources.rend(); ++record) {
    if (stop_.stop_requested()) return {};
    const Result<bool> done = remove_one(*record);
    if (!done) return fail(done.error());
    if (!*done) failed.push_back(record->logical_id);
  }
  if (!failed.empty())
    return step_stack(
        "DELETE_FAILED",
        fmt::format("The following resource(s) failed to delete: [{}]. ", fmt::join(failed, ", ")));
  stack_.deleted = clock_.now();
  return step_stack("DELETE_COMPLETE");
}

Result<bool> Run::remove_one(StackResource& record) {
  if (record.status == "DELETE_COMPLETE" || record.status == "DELETE_SKIPPED") return true;
  if (record.physical_id.empty()) return true;  // Never begun.
  const Type* type = find_type(record.type);
  const Outcome<Template> made = parse_template(stack_.body);
  const Resource* resource = made ? made->find(record.logical_id) : nullptr;
  const bool rolling_back = stack_.status == "ROLLBACK_IN_PROGRESS";
  if (resource && (resource->deletion_policy == "Retain" ||
                   (resource->deletion_policy == "RetainExceptOnCreate" && !rolling_back))) {
    if (const Result<> saved = step(record, "DELETE_SKIPPED"); !saved) return fail(saved.error());
    return true;
  }
  const std::string properties = json::serialize(record.properties);
  if (const Result<> saved = step(record, "DELETE_IN_PROGRESS", "", properties); !saved)
    return fail(saved.error());
  const Outcome<bool> gone =
      type ? type->remove(context(record), record.physical_id, record.properties)
           : Outcome<bool>(true);
  if (!gone) {
    if (const Result<> saved =
            step(record, "DELETE_FAILED", described(gone.error(), record.type), properties);
        !saved)
      return fail(saved.error());
    return false;
  }
  if (const Result<> saved = step(record, "DELETE_COMPLETE", "", properties); !saved)
    return fail(saved.error());
  return true;
}

Scope Run::scope(const Template& made) {
  scope_template_ = &made;
  Scope scope;
  scope.made = &made;
  scope.parameters = parameters_;
  scope.conditions = conditions_;
  const identity::Caller& owner = stack_.owner;
  scope.pseudo = {{"AWS::AccountId", json::string(owner.account)},
                  {"AWS::Region", json::string(owner.region)},
                  {"AWS::Partition", json::string("aws")},
                  {"AWS::URLSuffix", json::string("amazonaws.com")},
                  {"AWS::StackId", json::string(stack_.id)},
                  {"AWS::StackName", json::string(stack_.name)},
                  {"AWS::NotificationARNs", json::array()}};
  scope.ref = [this](const std::string& id) -> Outcome<json::value> {
    const StackResource* record = find(id);
    if (!record || record->physical_id.empty())
      return refuse("Template error: resource " + id + " does not exist in this stack");
    return json::value(json::string(record->physical_id));
  };
  scope.attribute = [this](const std::string& id, const std::string& name) -> Outcome<json::value> {
    const StackResource* record = find(id);
    if (!record || record->physical_id.empty())
      return refuse("Template error: resource " + id + " does not exist in this stack");
    const Type* type = find_type(record->type);
    const std::optional<std::string> value =
        type ? type->attribute(context(*record), record->physical_id, name) : std::nullopt;
    if (!value)
      return refuse(
          fmt::format("Resource type {} does not support attribute {{{}}}.", record->type, name));
    return json::value(json::string(*value));
  };
  return scope;
}

Context Run::context(const StackResource& record) const {
  return {.services = services_,
          .caller = stack_.owner,
          .stack_name = stack_.name,
          .logical_id = record.logical_id};
}

// STACK-LOGICALID-RANDOM in the case that both were written in, cut to the type's bound from the
// front parts.
std::string Run::new_physical_id(const Type& type, const Resource& resource,
                                 const json::object& properties) {
  const NameRule rule = type.name_rule();
  if (!rule.property.empty())
    if (const json::value* given = at_path(properties, rule.property))
      if (const auto name = scalar_text(*given); name && !name->empty())
        return rule.lower_case && !resource.type.starts_with("AWS::S3") ? lower(*name) : *name;
  const std::string suffix =
      io::random_text(random_, kSuffixLength, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  const size_t room = rule.length_max - kSuffixLength - 2;
  std::string stack = stack_.name;
  std::string logical = resource.logical_id;
  if (stack.size() + logical.size() > room)
    logical = logical.substr(0, std::max<size_t>(room / 2, room - std::min(room, stack.size())));
  if (stack.size() + logical.size() > room) stack = stack.substr(0, room - logical.size());
  const std::string id = fmt::format("{}-{}-{}", stack, logical, suffix);
  return rule.lower_case ? lower(id) : id;
}

StackResource* Run::find(const std::string& logical_id) {
  const auto found = std::ranges::find(stack_.resources, logical_id, &StackResource::logical_id);
  return found == stack_.resources.end() ? nullptr : &*found;
}

Result<> Run::step(StackResource& record, std::string status, std::string reason,
                   std::string properties) {
  record.status = std::move(status);
  record.reason = reason;
  record.updated = clock_.now();
  return save({.id = fmt::format("{}-{}-{}", record.logical_id, record.status,
                                 iso8601_millis(record.updated)),
               .stack_id = stack_.id,
               .stack_name = stack_.name,
               .logical_id = record.logical_id,
               .physical_id = record.physical_id,
               .type = record.type,
               .status = record.status,
               .reason = std::move(reason),
               .properties = std::move(properties),
               .at = record.updated});
}

Result<> Run::step_stack(std::string status, std::string reason) {
  stack_.status = std::move(status);
  stack_.status_reason = std::move(reason);
  return save(stack_event(stack_, clock_, random_));
}

Result<> Run::save(StackEvent event) {
  const uint64_t number = stack_.event_count++;
  const std::string text = write_stack(stack_);
  const std::string event_text = write_event(event);
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    transaction.put(stack_key(stack_.id), text);
    transaction.put(event_key(stack_.id, number), event_text);
    if (stack_.status == "DELETE_COMPLETE") transaction.erase(name_key(stack_.name));
    return {};
  });
}

}  // namespace laketap::stacks
