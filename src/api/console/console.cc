#include "api/console/console.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/console/page.h"
#include "base/time.h"
#include "http/sha256.h"

namespace laketap::api::console {
namespace {

namespace json = boost::json;

constexpr std::string_view kCookie = "laketap_session";

// 'sha256-...' of the text between <tag> and </tag>, as a policy names an inline script or style.
std::string inline_hash(std::string_view tag) {
  const std::string open = fmt::format("<{}>", tag), close = fmt::format("</{}>", tag);
  const size_t begin = kPage.find(open);
  const size_t end = kPage.find(close);
  if (begin == kPage.npos || end == kPage.npos) return "'none'";
  const http::Sha256 hash =
      http::sha256(kPage.substr(begin + open.size(), end - begin - open.size()));
  unsigned char text[64];
  const int length = EVP_EncodeBlock(text, hash.data(), static_cast<int>(hash.size()));
  return fmt::format("'sha256-{}'",
                     std::string_view(reinterpret_cast<char*>(text), static_cast<size_t>(length)));
}

http::Response json_answer(int status, const json::value& value) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body = json::serialize(value);
  return response;
}

http::Response refused(int status, std::string_view message) {
  return json_answer(status, json::object{{"message", message}});
}

std::string_view session_token(const http::RequestHead& head) {
  const std::string_view all = head.value("Cookie");
  for (size_t at = 0; at < all.size();) {
    size_t end = all.find(';', at);
    if (end == all.npos) end = all.size();
    std::string_view one = all.substr(at, end - at);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(kCookie) && one.size() > kCookie.size() && one[kCookie.size()] == '=')
      return one.substr(kCookie.size() + 1);
    at = end + 1;
  }
  return {};
}

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

std::string cookie(const http::RequestHead& head, std::string_view token, bool ends) {
  return fmt::format("{}={}; Path=/_console/; HttpOnly; SameSite=Strict{}{}", kCookie, token,
                     head.tls ? "; Secure" : "", ends ? "; Max-Age=0" : "");
}

json::object show(const ingest::Definition& stream, const delivery::StreamMetrics* figures) {
  json::object out{{"name", stream.name},
                   {"status", stream.status == ingest::Status::active ? "ACTIVE" : "DELETING"},
                   {"bucket", stream.delivery.bucket},
                   {"prefix", stream.delivery.prefix}};
  const delivery::StreamMetrics none;
  const delivery::StreamMetrics& of = figures ? *figures : none;
  out["incoming_records"] = of.incoming_records;
  out["incoming_bytes"] = of.incoming_bytes;
  out["waiting_bytes"] = of.undelivered_bytes;
  out["freshness_seconds"] = of.freshness_seconds;
  out["delivered_objects"] = of.delivered_objects;
  return out;
}

json::array show(const std::vector<catalog::Column>& columns) {
  json::array out;
  for (const catalog::Column& column : columns)
    out.push_back(json::object{{"name", column.name}, {"type", column.type}});
  return out;
}

json::array names(const std::vector<catalog::Column>& columns) {
  json::array out;
  for (const catalog::Column& column : columns) out.push_back(json::string(column.name));
  return out;
}

}  // namespace

Console::Console(Options options, Parts parts) : options_(options), parts_(parts) {
  policy_ = fmt::format(
      "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; "
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      inline_hash("script"), inline_hash("style"));
}

http::Response Console::page() const {
  http::Response response;
  response.headers = {
      {"Content-Type", "text/html; charset=utf-8"}, {"Cache-Control", "no-store"},
      {"Content-Security-Policy", policy_},         {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},           {"X-Frame-Options", "DENY"}};
  response.body = kPage;
  return response;
}

http::Response Console::handle(const http::RequestHead& head, std::string_view body) {
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (head.path == "/_console/" || head.path == "/_console")
    return reads ? page() : refused(405, "only GET");
  const bool known = head.path == "/_console/login" || head.path == "/_console/logout" ||
                     head.path == "/_console/api/overview";
  if (!known) return refused(404, "no such page");
  if (head.value("X-Laketap-Console") != "1")
    return refused(403, "the header X-Laketap-Console is missing");
  if (head.path == "/_console/login")
    return head.method == "POST" ? log_in(head, body) : refused(405, "only POST");
  if (!parts_.identities.session_user(session_token(head))) return refused(401, "log in first");
  if (head.path == "/_console/logout")
    return head.method == "POST" ? log_out(head) : refused(405, "only POST");
  return reads ? overview() : refused(405, "only GET");
}

bool Console::locked_out() const {
  const std::scoped_lock lock(mutex_);
  return wrong_.size() >= kWrongPasswordsMax &&
         wrong_.front() + kWrongPasswordsSpan > parts_.clock.monotonic();
}

http::Response Console::log_in(const http::RequestHead& head, std::string_view body) {
  if (!head.tls && !is_loopback(head.peer) && !options_.allow_plain_http_login)
    return refused(
        403, "from another machine only with TLS; --allow-plain-http-login allows it without");
  if (locked_out()) return refused(429, "too many wrong passwords; try again in a minute");
  boost::system::error_code bad;
  const json::value input = json::parse(body, bad);
  const json::object* fields = bad ? nullptr : input.if_object();
  const json::value* user = fields ? fields->if_contains("user") : nullptr;
  const json::value* password = fields ? fields->if_contains("password") : nullptr;
  if (!user || !password || !user->is_string() || !password->is_string())
    return refused(400, "user and password, as JSON");
  const auto token = parts_.identities.log_in(std::string_view(user->get_string()),
                                              std::string_view(password->get_string()));
  if (!token) {
    const std::scoped_lock lock(mutex_);
    wrong_.push_back(parts_.clock.monotonic());
    if (wrong_.size() > kWrongPasswordsMax) wrong_.pop_front();
    return refused(401, "wrong user or password");
  }
  http::Response response = json_answer(200, json::object{{"user", user->get_string()}});
  response.headers.push_back({"Set-Cookie", cookie(head, *token, false)});
  return response;
}

http::Response Console::log_out(const http::RequestHead& head) {
  parts_.identities.log_out(session_token(head));
  http::Response response = json_answer(200, json::object{});
  response.headers.push_back({"Set-Cookie", cookie(head, "", true)});
  return response;
}

http::Response Console::overview() const {
  json::object out{{"now", epoch_seconds(parts_.clock.now())}};
  const std::vector<delivery::StreamMetrics> metrics = parts_.streams.metrics();
  json::array streams, buckets, tables, newest;
  for (const std::string& name : parts_.streams.list("", ingest::kStreamsMax).names) {
    const auto stream = parts_.streams.describe(name);
    if (!stream) continue;  // Gone meanwhile.
    const auto of = std::find_if(metrics.begin(), metrics.end(),
                                 [&](const auto& one) { return one.stream == name; });
    streams.push_back(show(*stream, of == metrics.end() ? nullptr : &*of));
  }
  const auto found_buckets = parts_.store.list_buckets();
  if (found_buckets)
    for (const store::Bucket& bucket : *found_buckets) buckets.push_back(json::string(bucket.name));
  const auto databases = parts_.catalog.list_databases();
  if (!found_buckets || !databases) return refused(503, "the state cannot be read");
  for (const catalog::Database& database : *databases) {
    const auto found = parts_.catalog.list_tables(database.name);
    if (!found) continue;
    for (const catalog::Table& table : *found)
      tables.push_back(json::object{
          {"name", table.name},
          {"database", database.name},
          {"columns",
           show(table.storage ? table.storage->columns : std::vector<catalog::Column>())},
          {"partition_keys", names(table.partition_keys)},
          {"updated", epoch_seconds(table.updated)}});
  }
  {
    const std::scoped_lock lock(mutex_);
    for (const Newest& one : newest_)
      newest.push_back(json::object{{"bucket", one.bucket},
                                    {"key", one.key},
                                    {"size", one.size},
                                    {"written", epoch_seconds(one.written)}});
  }
  const store::Store::Totals totals = parts_.store.totals();
  out["streams"] = std::move(streams);
  out["object_count"] = totals.objects;
  out["object_bytes"] = totals.bytes;
  out["buckets"] = std::move(buckets);
  out["tables"] = std::move(tables);
  out["newest"] = std::move(newest);
  return json_answer(200, out);
}

void Console::on_object(const store::Change& change) {
  if (!change.created) return;
  const std::scoped_lock lock(mutex_);
  newest_.push_front({change.bucket, change.key, change.size, parts_.clock.now()});
  if (newest_.size() > kNewestMax) newest_.pop_back();
}

}  // namespace laketap::api::console
