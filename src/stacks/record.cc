#include "stacks/record.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::stacks {
namespace {

namespace json = boost::json;

json::value moment(const std::optional<Timestamp>& at) {
  return at ? json::value(at->time_since_epoch().count()) : json::value(nullptr);
}
std::optional<Timestamp> moment_of(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return from_epoch_micros(value.to_number<int64_t>());
}
json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& one : list) out.emplace_back(one);
  return out;
}
std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& one : value.as_array()) out.emplace_back(one.as_string());
  return out;
}
json::object map(const std::map<std::string, std::string>& entries) {
  json::object out;
  for (const auto& [key, value] : entries) out[key] = value;
  return out;
}
std::map<std::string, std::string> map_of(const json::value& value) {
  std::map<std::string, std::string> out;
  for (const auto& member : value.as_object())
    out[std::string(member.key())] = std::string(member.value().as_string());
  return out;
}
std::string text_of(const json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}

json::object write_resource(const StackResource& resource) {
  return {{"logical_id", resource.logical_id},   {"type", resource.type},
          {"physical_id", resource.physical_id}, {"status", resource.status},
          {"reason", resource.reason},           {"updated", moment(resource.updated)},
          {"properties", resource.properties}};
}
StackResource read_resource(const json::object& object) {
  StackResource made;
  made.logical_id = text_of(object, "logical_id");
  made.type = text_of(object, "type");
  made.physical_id = text_of(object, "physical_id");
  made.status = text_of(object, "status");
  made.reason = text_of(object, "reason");
  made.updated = moment_of(object.at("updated")).value_or(Timestamp());
  made.properties = object.at("properties").as_object();
  return made;
}

}  // namespace

std::string write_stack(const Stack& stack) {
  json::array resources;
  for (const StackResource& resource : stack.resources)
    resources.push_back(write_resource(resource));
  json::array outputs;
  for (const StackOutput& output : stack.outputs)
    outputs.push_back(
        json::array{output.key, output.value, output.description, output.export_name});
  const json::object object{
      {"id", stack.id},
      {"name", stack.name},
      {"description", stack.description},
      {"status", stack.status},
      {"status_reason", stack.status_reason},
      {"body", stack.body},
      {"parameters", map(stack.parameters)},
      {"no_echo", texts(stack.no_echo)},
      {"capabilities", texts(stack.capabilities)},
      {"tags", map(stack.tags)},
      {"resources", std::move(resources)},
      {"outputs", std::move(outputs)},
      {"on_failure", stack.on_failure},
      {"client_token", stack.client_token},
      {"termination_protection", stack.termination_protection},
      {"timeout_minutes",
       stack.timeout_minutes ? json::value(*stack.timeout_minutes) : json::value(nullptr)},
      {"created", moment(stack.created)},
      {"updated", moment(stack.updated)},
      {"deleted", moment(stack.deleted)},
      {"owner", json::object{{"account", stack.owner.account},
                             {"arn", stack.owner.arn},
                             {"access_key_id", stack.owner.access_key_id},
                             {"is_root", stack.owner.is_root},
                             {"region", stack.owner.region}}},
      {"event_count", stack.event_count},
  };
  return json::serialize(object);
}

Result<Stack> read_stack(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    Stack made;
    made.id = text_of(object, "id");
    made.name = text_of(object, "name");
    made.description = text_of(object, "description");
    made.status = text_of(object, "status");
    made.status_reason = text_of(object, "status_reason");
    made.body = text_of(object, "body");
    made.parameters = map_of(object.at("parameters"));
    made.no_echo = texts_of(object.at("no_echo"));
    made.capabilities = texts_of(object.at("capabilities"));
    made.tags = map_of(object.at("tags"));
    for (const json::value& one : object.at("resources").as_array())
      made.resources.push_back(read_resource(one.as_object()));
    for (const json::value& one : object.at("outputs").as_array()) {
      const std::vector<std::string> parts = texts_of(one);
      made.outputs.push_back({parts.at(0), parts.at(1), parts.at(2), parts.at(3)});
    }
    made.on_failure = text_of(object, "on_failure");
    made.client_token = text_of(object, "client_token");
    made.termination_protection = object.at("termination_protection").as_bool();
    if (const json::value& minutes = object.at("timeout_minutes"); !minutes.is_null())
      made.timeout_minutes = minutes.to_number<int64_t>();
    made.created = moment_of(object.at("created")).value_or(Timestamp());
    made.updated = moment_of(object.at("updated"));
    made.deleted = moment_of(object.at("deleted"));
    const json::object& owner = object.at("owner").as_object();
    made.owner.account = text_of(owner, "account");
    made.owner.arn = text_of(owner, "arn");
    made.owner.access_key_id = text_of(owner, "access_key_id");
    made.owner.is_root = owner.at("is_root").as_bool();
    made.owner.region = text_of(owner, "region");
    made.event_count = object.at("event_count").to_number<uint64_t>();
    return made;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a stack: ") + exception.what());
  }
}

std::string write_event(const StackEvent& event) {
  return json::serialize(json::object{{"id", event.id},
                                      {"stack_id", event.stack_id},
                                      {"stack_name", event.stack_name},
                                      {"logical_id", event.logical_id},
                                      {"physical_id", event.physical_id},
                                      {"type", event.type},
                                      {"status", event.status},
                                      {"reason", event.reason},
                                      {"properties", event.properties},
                                      {"at", moment(event.at)}});
}

Result<StackEvent> read_event(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    StackEvent made;
    made.id = text_of(object, "id");
    made.stack_id = text_of(object, "stack_id");
    made.stack_name = text_of(object, "stack_name");
    made.logical_id = text_of(object, "logical_id");
    made.physical_id = text_of(object, "physical_id");
    made.type = text_of(object, "type");
    made.status = text_of(object, "status");
    made.reason = text_of(object, "reason");
    made.properties = text_of(object, "properties");
    made.at = moment_of(object.at("at")).value_or(Timestamp());
    return made;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a stack event: ") + exception.what());
  }
}

std::string stack_key(const std::string& id) {
  return state::key("stack", id);
}
std::string name_key(const std::string& name) {
  return state::key("stack-name", name);
}
std::string events_prefix(const std::string& id) {
  return state::key("stack-event", id);
}
std::string event_key(const std::string& id, uint64_t number) {
  return state::key("stack-event", id, fmt::format("{:012}", number));
}
std::string stacks_prefix() {
  return state::key("stack");
}

}  // namespace laketap::stacks
