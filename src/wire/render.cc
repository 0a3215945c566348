#include "wire/render.h"

#include <fmt/format.h>

#include "wire/json.h"
#include "wire/rest.h"
#include "wire/xml.h"

namespace laketap::wire {
namespace {

std::string json_type(const Service& service) {
  return fmt::format("application/x-amz-json-{}", service.json_version);
}

void add_request_id(const Service& service, const Call& call, http::Response& response) {
  if (service.protocol == Protocol::rest_xml) {
    response.headers.push_back({"x-amz-request-id", call.request_id});
    response.headers.push_back({"x-amz-id-2", call.request_id});
  } else {
    response.headers.push_back({"x-amzn-RequestId", call.request_id});
  }
}

// What the handler added, on answers and faults alike (Allow, x-amz-bucket-region).
void add_reply(const Call& call, http::Response& response) {
  if (!call.reply) return;
  for (const auto& [name, value] : call.reply->headers) response.headers.push_back({name, value});
}

void write_json_fault(const Service& service, const Fault& fault, http::Response& response) {
  if (fault.status == 404 &&
      fault.code == "UnknownOperationException") {  // Not the protocol's content type.
    response.headers.push_back({"Content-Type", "application/xml"});
    response.body = "<UnknownOperationException/>\n";
    return;
  }
  response.headers.push_back({"Content-Type", json_type(service)});
  if (service.error_header) response.headers.push_back({"x-amzn-ErrorType", fault.code});
  std::string& body = response.body;
  body = "{\"__type\":";
  write_json_text(fault.code, body);
  const auto add = [&](std::string_view name, std::string_view value) {
    body += ',';
    write_json_text(name, body);
    body += ':';
    write_json_text(value, body);
  };
  if (!fault.message.empty()) add(service.message, fault.message);
  for (const auto& [name, value] : fault.fields) add(name, value);
  body += '}';
}

void write_query_fault(const Service& service, const Call& call, const Fault& fault,
                       http::Response& response) {
  response.headers.push_back({"Content-Type", "text/xml"});
  std::string& body = response.body;
  body = fmt::format("<ErrorResponse xmlns=\"{}\"><Error>", service.xml_namespace);
  write_xml_element("Type", fault.status >= 500 ? "Receiver" : "Sender", body);
  write_xml_element("Code", fault.code, body);
  write_xml_element("Message", fault.message, body);
  for (const auto& [name, value] : fault.fields) write_xml_element(name, value, body);
  body += "</Error>";
  write_xml_element("RequestId", call.request_id, body);
  body += "</ErrorResponse>";
}

void write_rest_fault(const Call& call, const Fault& fault, http::Response& response) {
  if (fault.status == 304 || (call.head && call.head->method == "HEAD")) return;
  response.headers.push_back({"Content-Type", "application/xml"});
  std::string& body = response.body;
  body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>";
  write_xml_element("Code", fault.code, body);
  write_xml_element("Message", fault.message, body);
  for (const auto& [name, value] : fault.fields) write_xml_element(name, value, body);
  if (call.head) write_xml_element("Resource", call.head->path, body);
  write_xml_element("RequestId", call.request_id, body);
  write_xml_element("HostId", call.request_id, body);
  body += "</Error>";
}

void write_query_answer(const Service& service, const Operation& operation, const Call& call,
                        const void* value, http::Response& response) {
  response.headers.push_back({"Content-Type", "text/xml"});
  std::string& body = response.body;
  body = fmt::format("<{}Response xmlns=\"{}\">", operation.name, service.xml_namespace);
  const std::string_view wrapper = operation.output_root;
  if (!wrapper.empty()) body.append("<").append(wrapper).append(">");
  write_xml_members(*operation.output, value, body);
  if (!wrapper.empty()) body.append("</").append(wrapper).append(">");
  body += "<ResponseMetadata>";
  write_xml_element("RequestId", call.request_id, body);
  body += fmt::format("</ResponseMetadata></{}Response>", operation.name);
}

// The text of a member named A.B.C below `value`; null when it is absent or no text.
const std::string* text_member(const Shape& shape, const void* value, std::string_view path) {
  const std::string_view name = path.substr(0, path.find('.'));
  for (const Member& member : shape.members) {
    if (member.model_name != name) continue;
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (!field) return nullptr;
    if (name.size() == path.size())
      return member.shape->kind == Kind::text ? static_cast<const std::string*>(field) : nullptr;
    return text_member(*member.shape, field, path.substr(name.size() + 1));
  }
  return nullptr;
}

std::string expand(std::string_view arn, const Operation& operation, const Call& call,
                   const void* input) {
  std::string out;
  while (!arn.empty()) {
    const size_t open = arn.find('{');
    out += arn.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = arn.find('}', open);
    std::string_view name = arn.substr(open + 1, close - open - 1);
    arn.remove_prefix(close + 1);
    std::string_view absent = "*";
    if (const size_t colon = name.find(':'); colon != std::string_view::npos) {
      absent = name.substr(colon + 1);
      name = name.substr(0, colon);
    }
    if (name == "region")
      out += call.region;
    else if (name == "account")
      out += call.account;
    else if (const std::string* value = text_member(*operation.input, input, name)) {
      if (value->starts_with("arn:")) return *value;
      out += *value;
    } else {
      out += absent;
    }
  }
  return out;
}

}  // namespace

http::Response render_fault(const Service& service, const Call& call, const Fault& fault) {
  http::Response response;
  response.status = fault.status;
  add_request_id(service, call, response);
  add_reply(call, response);
  switch (service.protocol) {
    case Protocol::json: write_json_fault(service, fault, response); break;
    case Protocol::query: write_query_fault(service, call, fault, response); break;
    case Protocol::rest_xml: write_rest_fault(call, fault, response); break;
  }
  return response;
}

http::Response render_answer(const Service& service, const Operation& operation, const Call& call,
                             void* value) {
  http::Response response;
  add_request_id(service, call, response);
  switch (service.protocol) {
    case Protocol::json:
      response.headers.push_back({"Content-Type", json_type(service)});
      write_json(*operation.output, value, response.body);
      break;
    case Protocol::query: write_query_answer(service, operation, call, value, response); break;
    case Protocol::rest_xml:
      write_rest(service, operation, call.head ? call.head->method : "GET", value, response);
      break;
  }
  add_reply(call, response);
  if (call.reply && call.reply->status != 0) response.status = call.reply->status;
  return response;
}

std::vector<std::string> resource_arns(const Operation& operation, const Call& call,
                                       const void* input) {
  std::vector<std::string> arns;
  for (const std::string_view arn : operation.arns)
    arns.push_back(expand(arn, operation, call, input));
  return arns;
}

}  // namespace laketap::wire
