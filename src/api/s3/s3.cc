#include "api/s3/s3.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/s3/doors.h"

namespace laketap::api::s3 {

void register_s3(wire::Operations& operations, store::Store& store, Options options) {
  const auto doors = std::make_shared<Doors>(store, std::move(options));
  add_buckets(operations, doors);
  add_settings(operations, doors);
  add_listings(operations, doors);
  add_reads(operations, doors);
  add_writes(operations, doors);
  add_copies(operations, doors);
  add_removals(operations, doors);
  add_multipart(operations, doors);
}

Task<> on_pool(Doors& doors, std::function<void()> work) {
  auto start = [&doors](auto handler, std::function<void()> job) {
    auto executor = boost::asio::get_associated_executor(handler);
    auto guard = boost::asio::make_work_guard(executor);
    auto run = [job = std::move(job), handler = std::move(handler), executor,
                guard = std::move(guard)]() mutable {
      job();
      boost::asio::post(executor, std::move(handler));
    };
    boost::asio::post(doors.pool, std::move(run));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(start), boost::asio::use_awaitable, std::move(work));
}

std::string quoted(const std::string& etag) {
  return '"' + etag + '"';
}

std::string unquoted(const std::string& etag) {
  std::string_view text = etag;
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

void guard(const wire::Call& call) {
  if (!call.head || (call.head->method != "GET" && call.head->method != "HEAD")) return;
  call.reply->headers.emplace_back("Content-Security-Policy", "sandbox");
  call.reply->headers.emplace_back("X-Content-Type-Options", "nosniff");
}

}  // namespace laketap::api::s3
