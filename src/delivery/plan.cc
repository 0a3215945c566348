#include "delivery/plan.h"

#include <fmt/core.h>

#include <boost/json.hpp>

namespace laketap::delivery {
namespace {

namespace json = boost::json;

constexpr std::string_view kConfigurations = "delivery.configuration";
constexpr std::string_view kPlans = "delivery.plan";
constexpr size_t kScanLimit = 1'000'000;  // More rows than this machine can have at work.

std::string number_part(uint64_t number) {
  return fmt::format("{:016x}", number);
}

std::string configuration_key(uint64_t stream, uint64_t version) {
  return state::key(kConfigurations, number_part(stream), number_part(version));
}

Result<std::vector<state::Entry>> scan_all(state::Transaction& transaction,
                                           const std::string& prefix) {
  return transaction.scan(prefix, state::prefix_end(prefix), kScanLimit);
}

json::object to_json(const Configuration& from) {
  return {{"stream", from.stream},
          {"version", from.version},
          {"stream_name", from.stream_name},
          {"bucket", from.bucket},
          {"prefix", from.prefix},
          {"error_prefix", from.error_prefix},
          {"extension", from.extension},
          {"compression", from.compression == Compression::gzip ? "gzip" : "none"},
          {"size_bytes", from.size_bytes},
          {"interval_seconds", from.interval.count()}};
}

uint64_t number(const json::object& from, std::string_view name) {
  return from.at(name).to_number<uint64_t>();
}
std::string text_of(const json::object& from, std::string_view name) {
  return std::string(from.at(name).as_string());
}

Configuration configuration_from(const json::object& from) {
  Configuration to;
  to.stream = number(from, "stream");
  to.version = number(from, "version");
  to.stream_name = text_of(from, "stream_name");
  to.bucket = text_of(from, "bucket");
  to.prefix = text_of(from, "prefix");
  to.error_prefix = text_of(from, "error_prefix");
  to.extension = text_of(from, "extension");
  to.compression =
      from.at("compression").as_string() == "gzip" ? Compression::gzip : Compression::none;
  to.size_bytes = number(from, "size_bytes");
  to.interval = std::chrono::seconds(from.at("interval_seconds").to_number<int64_t>());
  return to;
}

Plan plan_from(const json::object& from) {
  return {.id = text_of(from, "id"),
          .stream = number(from, "stream"),
          .version = number(from, "version"),
          .bucket = text_of(from, "bucket"),
          .key = text_of(from, "key"),
          .frames = number(from, "frames"),
          .bytes = number(from, "bytes")};
}

// Boost.JSON throws on what is not there; a row that cannot be read is corrupt.
template <class T>
Result<T> read_row(const state::Entry& row, T (*read)(const json::object&)) {
  try {
    return read(json::parse(row.value).as_object());
  } catch (const std::exception& problem) {
    return fail(ErrorKind::corrupt, fmt::format("row of delivery: {}", problem.what()));
  }
}

}  // namespace

Plan plan_of(const Batch& batch) {
  return {.id = batch.plan_id,
          .stream = batch.id.stream,
          .version = batch.id.version,
          .bucket = batch.configuration->bucket,
          .key = batch.key,
          .frames = batch.frames.size(),
          .bytes = batch.record_bytes};
}

void put_plan(state::Transaction& transaction, const Plan& plan) {
  const json::object value{{"id", plan.id},           {"stream", plan.stream},
                           {"version", plan.version}, {"bucket", plan.bucket},
                           {"key", plan.key},         {"frames", plan.frames},
                           {"bytes", plan.bytes}};
  transaction.put(state::key(kPlans, plan.id), json::serialize(value));
}

void erase_plan(state::Transaction& transaction, const std::string& plan_id) {
  transaction.erase(state::key(kPlans, plan_id));
}

Result<std::map<std::string, Plan>> read_plans(state::Transaction& transaction) {
  const auto rows = scan_all(transaction, state::key(kPlans));
  if (!rows) return fail(rows.error(), "reading plans");
  std::map<std::string, Plan> plans;
  for (const state::Entry& row : *rows) {
    auto plan = read_row(row, plan_from);
    if (!plan) return fail(plan.error());
    plans.emplace(plan->id, std::move(*plan));
  }
  return plans;
}

void write_configuration(state::Transaction& transaction, const Configuration& configuration) {
  transaction.put(configuration_key(configuration.stream, configuration.version),
                  json::serialize(to_json(configuration)));
}

Result<Configurations> read_configurations(state::Transaction& transaction) {
  const auto rows = scan_all(transaction, state::key(kConfigurations));
  if (!rows) return fail(rows.error(), "reading configurations");
  Configurations all;
  for (const state::Entry& row : *rows) {
    auto configuration = read_row(row, configuration_from);
    if (!configuration) return fail(configuration.error());
    all.emplace(std::pair(configuration->stream, configuration->version),
                std::move(*configuration));
  }
  return all;
}

Result<> erase_configurations(state::Transaction& transaction, uint64_t stream,
                              uint64_t version_end) {
  const auto rows = transaction.scan(configuration_key(stream, 0),
                                     configuration_key(stream, version_end), kScanLimit);
  if (!rows) return fail(rows.error(), "reading configurations");
  for (const state::Entry& row : *rows) transaction.erase(row.key);
  return {};
}

}  // namespace laketap::delivery
