#include "api/cloudformation/cloudformation.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <fstream>

#include "http/url.h"
#include "wire/cloudformation.h"

namespace laketap::api::cloudformation {
namespace {

namespace model = wire::cloudformation;
using wire::Answer;
using wire::Call;

constexpr size_t kEventsPerPage = 100;

std::unexpected<wire::Fault> to_fault(const stacks::Refusal& refusal) {
  const bool internal = refusal.code == "InternalFailure";
  return wire::refuse(refusal.code, internal ? 500 : 400,
                      internal ? "internal error" : refusal.message);
}

identity::Caller caller_of(const Call& call) {
  return {.account = call.account,
          .arn = call.caller_arn,
          .access_key_id = call.access_key_id,
          .is_root = call.caller_arn.ends_with(":root"),
          .region = call.region};
}

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

class Doors {
 public:
  Doors(stacks::Stacks& stacks, const store::Store& store) : stacks_(stacks), store_(store) {}

  Answer<model::CreateStackOutput> create_stack(const Call& call,
                                                model::CreateStackInput input) const {
    const Answer<std::string> body = template_text(input.template_body, input.template_url);
    if (!body) return std::unexpected(body.error());
    if (input.on_failure && input.disable_rollback)
      return wire::refuse(
          "ValidationError", 400,
          "You cannot specify both DisableRollback and OnFailure in the same request.");
    stacks::CreateRequest request{.name = input.stack_name, .body = *body};
    request.on_failure = input.on_failure.value_or(
        input.disable_rollback.value_or(false) ? "DO_NOTHING" : "ROLLBACK");
    request.client_token = input.client_request_token.value_or("");
    for (const model::Parameter& one : input.parameters.value_or(std::vector<model::Parameter>()))
      request.parameters.push_back({one.parameter_key.value_or(""),
                                    one.parameter_value.value_or(""),
                                    one.use_previous_value.value_or(false)});
    request.capabilities = input.capabilities.value_or(std::vector<std::string>());
    for (const model::Tag& tag : input.tags.value_or(std::vector<model::Tag>()))
      request.tags[tag.key] = tag.value;
    request.termination_protection = input.enable_termination_protection.value_or(false);
    request.timeout_minutes = input.timeout_in_minutes;
    const stacks::Outcome<std::string> id = stacks_.create(caller_of(call), request);
    if (!id) return to_fault(id.error());
    return model::CreateStackOutput{.stack_id = *id};
  }

  Answer<wire::Empty> delete_stack(const Call& call, model::DeleteStackInput input) const {
    const auto done = stacks_.remove(caller_of(call), input.stack_name,
                                     input.retain_resources.value_or(std::vector<std::string>()));
    if (!done) return to_fault(done.error());
    return wire::Empty{};
  }

  Answer<model::DescribeStacksOutput> describe_stacks(const Call&,
                                                      model::DescribeStacksInput input) const {
    model::DescribeStacksOutput output;
    output.stacks.emplace();
    if (input.stack_name) {
      const stacks::Outcome<stacks::Stack> stack = stacks_.find(*input.stack_name);
      if (!stack) return to_fault(stack.error());
      output.stacks->push_back(describe(*stack));
      return output;
    }
    const auto all = stacks_.list(false);
    if (!all) return to_fault(all.error());
    for (const stacks::Stack& stack : *all) output.stacks->push_back(describe(stack));
    return output;
  }

  Answer<model::ListStacksOutput> list_stacks(const Call&, model::ListStacksInput input) const {
    const auto all = stacks_.list(true);
    if (!all) return to_fault(all.error());
    model::ListStacksOutput output;
    output.stack_summaries.emplace();
    const std::vector<std::string> wanted =
        input.stack_status_filter.value_or(std::vector<std::string>());
    for (const stacks::Stack& stack : *all) {
      if (!wanted.empty() && std::ranges::find(wanted, stack.status) == wanted.end()) continue;
      model::StackSummary summary;
      summary.stack_id = stack.id;
      summary.stack_name = stack.name;
      summary.template_description = given(stack.description);
      summary.creation_time = stack.created;
      summary.last_updated_time = stack.updated;
      summary.deletion_time = stack.deleted;
      summary.stack_status = stack.status;
      summary.stack_status_reason = given(stack.status_reason);
      summary.drift_information =
          model::StackDriftInformationSummary{.stack_drift_status = "NOT_CHECKED"};
      output.stack_summaries->push_back(std::move(summary));
    }
    return output;
  }

  Answer<model::DescribeStackEventsOutput> describe_events(
      const Call&, model::DescribeStackEventsInput input) const {
    size_t skip = 0;
    if (input.next_token) {
      const char* end = input.next_token->data() + input.next_token->size();
      if (std::from_chars(input.next_token->data(), end, skip).ptr != end)
        return wire::refuse("ValidationError", 400, "The NextToken is not valid.");
    }
    const auto events = stacks_.events(input.stack_name, skip, kEventsPerPage);
    if (!events) return to_fault(events.error());
    model::DescribeStackEventsOutput output;
    output.stack_events.emplace();
    for (const stacks::StackEvent& event : *events) {
      model::StackEvent one;
      one.stack_id = event.stack_id;
      one.event_id = event.id;
      one.stack_name = event.stack_name;
      one.logical_resource_id = event.logical_id;
      one.physical_resource_id = event.physical_id;
      one.resource_type = event.type;
      one.timestamp = event.at;
      one.resource_status = event.status;
      one.resource_status_reason = given(event.reason);
      one.resource_properties = given(event.properties);
      output.stack_events->push_back(std::move(one));
    }
    if (events->size() == kEventsPerPage)
      output.next_token = fmt::format("{}", skip + kEventsPerPage);
    return output;
  }

  Answer<model::ListStackResourcesOutput> list_resources(
      const Call&, model::ListStackResourcesInput input) const {
    const auto stack = stacks_.find(input.stack_name);
    if (!stack) return to_fault(stack.error());
    model::ListStackResourcesOutput output;
    output.stack_resource_summaries.emplace();
    for (const stacks::StackResource& resource : stack->resources) {
      model::StackResourceSummary one;
      one.logical_resource_id = resource.logical_id;
      one.physical_resource_id = given(resource.physical_id);
      one.resource_type = resource.type;
      one.last_updated_timestamp = resource.updated;
      one.resource_status = resource.status;
      one.resource_status_reason = given(resource.reason);
      one.drift_information =
          model::StackResourceDriftInformationSummary{.stack_resource_drift_status = "NOT_CHECKED"};
      output.stack_resource_summaries->push_back(std::move(one));
    }
    return output;
  }

  Answer<model::DescribeStackResourceOutput> describe_resource(
      const Call&, model::DescribeStackResourceInput input) const {
    const auto stack = stacks_.find(input.stack_name);
    if (!stack) return to_fault(stack.error());
    const auto found = std::ranges::find(stack->resources, input.logical_resource_id,
                                         &stacks::StackResource::logical_id);
    if (found == stack->resources.end())
      return wire::refuse("ValidationError", 400,
                          fmt::format("Resource {} does not exist for stack {}",
                                      input.logical_resource_id, input.stack_name));
    model::StackResourceDetail one;
    one.stack_name = stack->name;
    one.stack_id = stack->id;
    one.logical_resource_id = found->logical_id;
    one.physical_resource_id = given(found->physical_id);
    one.resource_type = found->type;
    one.last_updated_timestamp = found->updated;
    one.resource_status = found->status;
    one.resource_status_reason = given(found->reason);
    one.drift_information =
        model::StackResourceDriftInformation{.stack_resource_drift_status = "NOT_CHECKED"};
    return model::DescribeStackResourceOutput{.stack_resource_detail = std::move(one)};
  }

  Answer<model::DescribeStackResourcesOutput> describe_resources(
      const Call&, model::DescribeStackResourcesInput input) const {
    if (!input.stack_name)
      return wire::refuse(
          "ValidationError", 400,
          "Stack name must be specified; look-ups by PhysicalResourceId are not served.");
    const auto stack = stacks_.find(*input.stack_name);
    if (!stack) return to_fault(stack.error());
    model::DescribeStackResourcesOutput output;
    output.stack_resources.emplace();
    for (const stacks::StackResource& resource : stack->resources) {
      if (input.logical_resource_id && *input.logical_resource_id != resource.logical_id) continue;
      if (input.physical_resource_id && *input.physical_resource_id != resource.physical_id)
        continue;
      model::StackResource one;
      one.stack_name = stack->name;
      one.stack_id = stack->id;
      one.logical_resource_id = resource.logical_id;
      one.physical_resource_id = given(resource.physical_id);
      one.resource_type = resource.type;
      one.timestamp = resource.updated;
      one.resource_status = resource.status;
      one.resource_status_reason = given(resource.reason);
      one.drift_information =
          model::StackResourceDriftInformation{.stack_resource_drift_status = "NOT_CHECKED"};
      output.stack_resources->push_back(std::move(one));
    }
    return output;
  }

  Answer<model::GetTemplateOutput> get_template(const Call&, model::GetTemplateInput input) const {
    if (!input.stack_name)
      return wire::refuse("ValidationError", 400, "StackName must be specified.");
    const auto stack = stacks_.find(*input.stack_name);
    if (!stack) return to_fault(stack.error());
    return model::GetTemplateOutput{
        .template_body = stack->body,
        .stages_available = std::vector<std::string>{"Original", "Processed"}};
  }

  Answer<model::GetTemplateSummaryOutput> get_summary(const Call&,
                                                      model::GetTemplateSummaryInput input) const {
    std::string body;
    if (input.stack_name) {
      const auto stack = stacks_.find(*input.stack_name);
      if (!stack) return to_fault(stack.error());
      body = stack->body;
    } else {
      const Answer<std::string> text = template_text(input.template_body, input.template_url);
      if (!text) return std::unexpected(text.error());
      body = *text;
    }
    const auto made = stacks::parse_template(body);
    if (!made) return to_fault(made.error());
    model::GetTemplateSummaryOutput output;
    output.parameters.emplace();
    for (const stacks::Parameter& parameter : made->parameters) {
      model::ParameterDeclaration one;
      one.parameter_key = parameter.name;
      one.default_value = parameter.default_value;
      one.parameter_type = parameter.type;
      one.no_echo = parameter.no_echo;
      one.description = given(parameter.description);
      one.parameter_constraints =
          model::ParameterConstraints{.allowed_values = parameter.allowed_values};
      output.parameters->push_back(std::move(one));
    }
    output.description = given(made->description);
    output.version = given(made->version);
    if (!made->metadata.is_null()) output.metadata = boost::json::serialize(made->metadata);
    output.declared_transforms = made->transforms;
    output.resource_types.emplace();
    for (const stacks::Resource& resource : made->resources)
      if (std::ranges::find(*output.resource_types, resource.type) == output.resource_types->end())
        output.resource_types->push_back(resource.type);
    const stacks::Capabilities capabilities = stacks::needed_capabilities(*made);
    if (!capabilities.needed.empty()) {
      output.capabilities = capabilities.needed;
      output.capabilities_reason = capabilities.reason;
    }
    return output;
  }

  Answer<model::ValidateTemplateOutput> validate(const Call&,
                                                 model::ValidateTemplateInput input) const {
    const Answer<std::string> body = template_text(input.template_body, input.template_url);
    if (!body) return std::unexpected(body.error());
    const auto made = stacks::validate_template(*body);
    if (!made) return to_fault(made.error());
    model::ValidateTemplateOutput output;
    output.parameters.emplace();
    for (const stacks::Parameter& parameter : made->parameters)
      output.parameters->push_back({.parameter_key = parameter.name,
                                    .default_value = parameter.default_value,
                                    .no_echo = parameter.no_echo,
                                    .description = given(parameter.description)});
    output.description = given(made->description);
    const stacks::Capabilities capabilities = stacks::needed_capabilities(*made);
    if (!capabilities.needed.empty()) {
      output.capabilities = capabilities.needed;
      output.capabilities_reason = capabilities.reason;
    }
    return output;
  }

 private:
  static model::Stack describe(const stacks::Stack& stack) {
    model::Stack one;
    one.stack_id = stack.id;
    one.stack_name = stack.name;
    one.description = given(stack.description);
    one.parameters.emplace();
    for (const auto& [key, value] : stack.parameters) {
      const bool hidden = std::ranges::find(stack.no_echo, key) != stack.no_echo.end();
      one.parameters->push_back({.parameter_key = key, .parameter_value = hidden ? "****" : value});
    }
    one.creation_time = stack.created;
    one.last_updated_time = stack.updated;
    one.deletion_time = stack.deleted;
    one.rollback_configuration = model::RollbackConfiguration{};
    one.stack_status = stack.status;
    one.stack_status_reason = given(stack.status_reason);
    one.disable_rollback = stack.on_failure == "DO_NOTHING";
    one.notification_arns.emplace();
    one.timeout_in_minutes = stack.timeout_minutes;
    one.capabilities = stack.capabilities;
    if (!stack.status.ends_with("_IN_PROGRESS")) {
      one.outputs.emplace();
      for (const stacks::StackOutput& output : stack.outputs)
        one.outputs->push_back({.output_key = output.key,
                                .output_value = output.value,
                                .description = given(output.description),
                                .export_name = given(output.export_name)});
    }
    one.tags.emplace();
    for (const auto& [key, value] : stack.tags) one.tags->push_back({.key = key, .value = value});
    one.enable_termination_protection = stack.termination_protection;
    one.drift_information = model::StackDriftInformation{.stack_drift_status = "NOT_CHECKED"};
    return one;
  }

  // The body as given, or from our own store: no other address is ever opened.
  Answer<std::string> template_text(const std::optional<std::string>& body,
                                    const std::optional<std::string>& url) const {
    if (body.has_value() == url.has_value())
      return wire::refuse("ValidationError", 400,
                          "Either Template URL or Template Body must be specified.");
    if (body) {
      if (body->size() > stacks::kTemplateBytesMax)
        return wire::refuse(
            "ValidationError", 400,
            fmt::format("1 validation error detected: Value at 'templateBody' failed to satisfy "
                        "constraint: Member must have length less than or equal to {}",
                        stacks::kTemplateBytesMax));
      return *body;
    }
    const size_t scheme = url->find("://");
    const size_t slash = scheme == std::string::npos ? scheme : url->find('/', scheme + 3);
    const size_t next = slash == std::string::npos ? slash : url->find('/', slash + 1);
    if (next == std::string::npos)
      return wire::refuse("ValidationError", 400, "TemplateURL must be a supported URL.");
    const std::string host = url->substr(scheme + 3, slash - scheme - 3);
    std::string bucket = url->substr(slash + 1, next - slash - 1);
    std::string key =
        url->substr(next + 1, url->find('?') == std::string::npos ? std::string::npos
                                                                  : url->find('?') - next - 1);
    if (const size_t s3 = host.find(".s3");
        s3 != std::string::npos && host.ends_with(".amazonaws.com")) {  // Virtual-host style.
      key = url->substr(slash + 1);
      bucket = host.substr(0, s3);
    }
    const auto decoded = http::percent_decode(key);
    const Result<store::ObjectInfo> object = store_.find(bucket, decoded.value_or(key));
    if (!object || object->delete_marker)
      return wire::refuse("ValidationError", 400, "S3 error: The specified key does not exist.");
    if (object->size > stacks::kStoredTemplateBytesMax)
      return wire::refuse("ValidationError", 400, "Template may not exceed 1000000 bytes in size.");
    std::ifstream file(object->path, std::ios::binary);
    std::string text(object->size, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
  }

  stacks::Stacks& stacks_;
  const store::Store& store_;
};

}  // namespace

void register_cloudformation(wire::Operations& operations, stacks::Stacks& stacks,
                             const store::Store& store) {
  const auto doors = std::make_shared<const Doors>(stacks, store);
  const auto add = [&]<class In, class Out>(std::string_view name,
                                            Answer<Out> (Doors::*door)(const Call&, In) const) {
    operations.add<In, Out>("cloudformation", name, [doors, door](const Call& call, In input) {
      return ((*doors).*door)(call, std::move(input));
    });
  };
  add("CreateStack", &Doors::create_stack);
  add("DeleteStack", &Doors::delete_stack);
  add("DescribeStacks", &Doors::describe_stacks);
  add("ListStacks", &Doors::list_stacks);
  add("DescribeStackEvents", &Doors::describe_events);
  add("ListStackResources", &Doors::list_resources);
  add("DescribeStackResource", &Doors::describe_resource);
  add("DescribeStackResources", &Doors::describe_resources);
  add("GetTemplate", &Doors::get_template);
  add("GetTemplateSummary", &Doors::get_summary);
  add("ValidateTemplate", &Doors::validate);
}

}  // namespace laketap::api::cloudformation
