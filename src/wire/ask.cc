#include "wire/ask.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "wire/shape.h"

namespace laketap::wire {

http::Response ask(const Operations& operations, std::string_view name, const Asked& asked,
                   std::string* matched) {
  const Service* service = find_service(name);
  ASSERT(service);
  Call call;
  call.request_id = "request-1";
  call.region = "us-east-1";
  call.account = "000000000000";
  call.head = &asked.head;
  const Answer<Route> route = operations.match(*service, asked.head, asked.body);
  if (!route) return Operations::render(*service, call, route.error());
  if (matched) *matched = route->operation->name;
  RequestBody body;
  body.bytes = asked.body;
  body.stream = asked.stream;
  boost::asio::io_context context;
  http::Response response;
  boost::asio::co_spawn(context, operations.run(*route, call, body),
                        [&](std::exception_ptr error, http::Response answered) {
                          ASSERT(!error);
                          response = std::move(answered);
                        });
  context.run();
  return response;
}

http::Response ask_json(const Operations& operations, std::string_view name,
                        std::string_view operation, std::string body) {
  const Service* service = find_service(name);
  ASSERT(service);
  Asked asked;
  asked.head.method = "POST";
  asked.head.path = "/";
  asked.head.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                        {"X-Amz-Target", fmt::format("{}.{}", service->target_prefix, operation)}};
  asked.body = std::move(body);
  return ask(operations, name, asked);
}

Asked request_for(const Service& service, const Operation& operation) {
  Asked asked;
  asked.head.method = operation.method;
  asked.head.path = operation.on_key ? "/bucket/key" : operation.on_bucket ? "/bucket" : "/";
  for (const QueryKey& key : operation.query)
    asked.head.query += fmt::format("{}{}={}", asked.head.query.empty() ? "" : "&", key.name,
                                    key.value ? key.value : "x");
  for (const std::string_view name : operation.headers)
    asked.head.headers.push_back({std::string(name), "x"});
  if (service.protocol == Protocol::json) {
    asked.head.headers = {
        {"Content-Type", fmt::format("application/x-amz-json-{}", service.json_version)},
        {"X-Amz-Target", fmt::format("{}.{}", service.target_prefix, operation.name)}};
    asked.body = "{}";
  }
  if (service.protocol == Protocol::query) {
    asked.head.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    asked.body = fmt::format("Action={}&Version={}", operation.name, service.version);
  }
  asked.head.target = asked.head.path + (asked.head.query.empty() ? "" : "?" + asked.head.query);
  return asked;
}

const std::string* header(const http::Response& response, std::string_view name) {
  for (const http::Header& candidate : response.headers) {
    if (http::same_name(candidate.name, name)) return &candidate.value;
  }
  return nullptr;
}

}  // namespace laketap::wire
