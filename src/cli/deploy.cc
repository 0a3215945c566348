// laketap deploy: a stack, with its events as they happen.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <pugixml.hpp>
#include <set>
#include <thread>

#include "cli/api_client.h"
#include "cli/pipeline_template.h"
#include "io/files.h"

namespace laketap::cli {
namespace {

constexpr std::string_view kVersionOfApi = "2010-05-15";
constexpr std::chrono::milliseconds kPoll{100};
constexpr size_t kTemplateBytesMax = 1 << 20;

struct Event {
  std::string id, at, status, type, logical_id, reason;
};

std::vector<Event> events_of(const std::string& xml) {  // Oldest first.
  pugi::xml_document document;
  document.load_buffer(xml.data(), xml.size());
  std::vector<Event> out;
  for (const pugi::xml_node& node : document.child("DescribeStackEventsResponse")
                                        .child("DescribeStackEventsResult")
                                        .child("StackEvents")
                                        .children("member"))
    out.insert(out.begin(),
               {node.child_value("EventId"), node.child_value("Timestamp"),
                node.child_value("ResourceStatus"), node.child_value("ResourceType"),
                node.child_value("LogicalResourceId"), node.child_value("ResourceStatusReason")});
  return out;
}

void print_outputs(const std::string& xml) {
  const auto keys = xml_texts(xml, "OutputKey");
  const auto values = xml_texts(xml, "OutputValue");
  for (size_t i = 0; i < std::min(keys.size(), values.size()); ++i)
    fmt::print("{:<14} {}\n", keys[i], values[i]);
}

Result<std::map<std::string, std::string>> make_form(const DeployOptions& options) {
  std::string body(kPipelineTemplate);
  std::vector<std::string> parameters = options.parameters;
  if (!options.file.empty()) {
    const Result<std::string> read =
        io::read_file(io::real_files(), options.file, kTemplateBytesMax);
    if (!read) return fail(read.error(), options.file);
    body = *read;
  } else {
    // The guide's names, unless told otherwise.
    const auto given = [&](std::string_view name) {
      return std::ranges::any_of(parameters, [&](const std::string& one) {
        return one.starts_with(std::string(name) + "=");
      });
    };
    if (!given("s3BucketName"))
      parameters.push_back("s3BucketName=" + options.stack_name + "-events");
    if (!given("databaseName"))
      parameters.push_back("databaseName=serverless-app-analytics-database");
  }
  std::map<std::string, std::string> form{{"Action", "CreateStack"},
                                          {"Version", std::string(kVersionOfApi)},
                                          {"StackName", options.stack_name},
                                          {"TemplateBody", body},
                                          {"Capabilities.member.1", "CAPABILITY_NAMED_IAM"}};
  int number = 0;
  for (const std::string& parameter : parameters) {
    const size_t equals = parameter.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::invalid, "--parameter needs name=value, not " + parameter);
    const std::string prefix = fmt::format("Parameters.member.{}.", ++number);
    form[prefix + "ParameterKey"] = parameter.substr(0, equals);
    form[prefix + "ParameterValue"] = parameter.substr(equals + 1);
  }
  return form;
}

}  // namespace

int deploy(const DeployOptions& options) {
  const Result<Address> address = find_server(options.target);
  if (!address) return complain(address.error());
  ApiClient client(*address);
  const auto form = make_form(options);
  if (!form) return complain(form.error());
  const Result<std::string> created = client.query("cloudformation", *form);
  if (!created) return complain(created.error());
  const std::map<std::string, std::string> ask_events{{"Action", "DescribeStackEvents"},
                                                      {"Version", std::string(kVersionOfApi)},
                                                      {"StackName", options.stack_name}};
  const std::map<std::string, std::string> ask_stack{{"Action", "DescribeStacks"},
                                                     {"Version", std::string(kVersionOfApi)},
                                                     {"StackName", options.stack_name}};
  std::set<std::string> seen;
  while (true) {
    const Result<std::string> stack = client.query("cloudformation", ask_stack);
    if (!stack) return complain(stack.error());
    const Result<std::string> events = client.query("cloudformation", ask_events);
    if (!events) return complain(events.error());
    for (const Event& event : events_of(*events))
      if (seen.insert(event.id).second) {
        fmt::print("{}  {:<20} {:<38} {}{}\n", event.at, event.status, event.type, event.logical_id,
                   event.reason.empty() ? "" : "  " + event.reason);
        std::fflush(stdout);
      }
    const auto statuses = xml_texts(*stack, "StackStatus");
    const std::string status = statuses.empty() ? "" : statuses.front();
    if (status == "CREATE_COMPLETE") {
      print_outputs(*stack);
      return 0;
    }
    if (!status.ends_with("_IN_PROGRESS"))
      return complain({ErrorKind::invalid, "the stack ended in " + status});
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace laketap::cli
