#include "cli/api_client.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <pugixml.hpp>

#include "http/url.h"
#include "identity/identity.h"
#include "io/clock.h"
#include "io/files.h"

namespace laketap::cli {
namespace {

namespace json = boost::json;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void collect(const pugi::xml_node& node, std::string_view name, std::vector<std::string>& out) {
  if (node.name() == name) out.emplace_back(node.child_value());
  for (const pugi::xml_node& child : node.children()) collect(child, name, out);
}

}  // namespace

Result<Address> find_server(const Target& target) {
  std::string url = target.endpoint.empty() ? environment("AWS_ENDPOINT_URL") : target.endpoint;
  http::Credential credential{environment("AWS_ACCESS_KEY_ID"),
                              environment("AWS_SECRET_ACCESS_KEY")};
  if (url.empty()) {
    const Result<std::string> stored =
        io::read_file(io::real_files(), target.data + "/endpoint", 4096);
    if (!stored)
      return fail(
          ErrorKind::not_found,
          fmt::format("no server was started on {} yet; give --data or --endpoint", target.data));
    url = stored->substr(0, stored->find('\n'));
  }
  if (credential.access_key_id.empty() || credential.secret.empty()) {
    const auto keys = identity::read_root_keys(io::real_files(), target.data);
    if (!keys)
      return fail(
          ErrorKind::not_found,
          fmt::format(
              "no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --data ({})",
              keys.error().what));
    credential = {keys->access_key, keys->secret_key};
  }
  const auto endpoint = http::parse_endpoint(url);
  if (!endpoint) return fail(ErrorKind::invalid, url + " is no http:// address");
  return Address{*endpoint, std::move(credential)};
}

Result<http::ClientResponse> ApiClient::send(std::string_view service,
                                             std::vector<http::Header> headers,
                                             const std::string& body) {
  http::RequestHead head{
      .method = "POST", .target = "/", .path = "/", .headers = std::move(headers)};
  head.headers.push_back({"Host", client_.host_header()});
  http::sign(head, credential_, "us-east-1", service, http::sha256_hex(body),
             io::real_clock().now());
  return client_.send(http::Client::render(head, body));
}

Result<json::object> ApiClient::call(std::string_view service, std::string_view target,
                                     const json::object& input) {
  const auto response =
      send(service,
           {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", std::string(target)}},
           json::serialize(input));
  if (!response) return fail(response.error());
  boost::system::error_code error;
  json::value value = json::parse(response->body, error);
  if (error || !value.is_object())
    return fail(ErrorKind::unavailable,
                fmt::format("status {}: {}", response->status, response->body.substr(0, 300)));
  json::object& object = value.get_object();
  if (response->status == 200) return std::move(object);
  std::string message;
  for (const char* name : {"message", "Message"})
    if (const json::value* found = object.if_contains(name); found && found->is_string())
      message = found->get_string();
  const json::value* type = object.if_contains("__type");
  return fail(ErrorKind::invalid,
              fmt::format("{}: {}",
                          type && type->is_string() ? std::string(type->get_string())
                                                    : std::to_string(response->status),
                          message));
}

Result<std::string> ApiClient::query(std::string_view service,
                                     const std::map<std::string, std::string>& form) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (!body.empty()) body += '&';
    body += http::percent_encode(name) + "=" + http::percent_encode(value);
  }
  const auto response =
      send(service, {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}, body);
  if (!response) return fail(response.error());
  if (response->status == 200) return response->body;
  const auto codes = xml_texts(response->body, "Code");
  const auto messages = xml_texts(response->body, "Message");
  return fail(
      ErrorKind::invalid,
      fmt::format("{}: {}", codes.empty() ? std::to_string(response->status) : codes.front(),
                  messages.empty() ? "" : messages.front()));
}

std::vector<std::string> xml_texts(std::string_view xml, std::string_view name) {
  pugi::xml_document document;
  std::vector<std::string> out;
  if (document.load_buffer(xml.data(), xml.size())) collect(document, name, out);
  return out;
}

int complain(const Error& error) {
  fmt::print(stderr, "laketap: {}\n", error.what);
  return 1;
}

}  // namespace laketap::cli
