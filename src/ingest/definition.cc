#include "ingest/definition.h"

#include <fmt/core.h>

#include <boost/json.hpp>

namespace laketap::ingest {
namespace {

namespace json = boost::json;
constexpr std::string_view kStreams = "ingest.stream";

json::object configuration_to_json(const delivery::Configuration& from) {
  return {{"bucket", from.bucket},
          {"prefix", from.prefix},
          {"error_prefix", from.error_prefix},
          {"extension", from.extension},
          {"gzip", from.compression == delivery::Compression::gzip},
          {"size_bytes", from.size_bytes},
          {"interval_seconds", from.interval.count()}};
}

std::string text_of(const json::object& from, std::string_view name) {
  return std::string(from.at(name).as_string());
}
Timestamp moment_of(const json::object& from, std::string_view name) {
  return from_epoch_micros(from.at(name).to_number<int64_t>());
}
int64_t micros(Timestamp at) {
  return at.time_since_epoch().count();
}

delivery::Configuration configuration_from(const json::object& from) {
  delivery::Configuration to;
  to.bucket = text_of(from, "bucket");
  to.prefix = text_of(from, "prefix");
  to.error_prefix = text_of(from, "error_prefix");
  to.extension = text_of(from, "extension");
  to.compression =
      from.at("gzip").as_bool() ? delivery::Compression::gzip : delivery::Compression::none;
  to.size_bytes = from.at("size_bytes").to_number<uint64_t>();
  to.interval = std::chrono::seconds(from.at("interval_seconds").to_number<int64_t>());
  return to;
}

Definition definition_from(const json::object& from) {
  Definition to;
  to.name = text_of(from, "name");
  to.arn = text_of(from, "arn");
  to.account = text_of(from, "account");
  to.id = from.at("id").to_number<uint64_t>();
  to.status = from.at("deleting").as_bool() ? Status::deleting : Status::active;
  to.version = from.at("version").to_number<uint64_t>();
  to.created = moment_of(from, "created");
  if (from.contains("updated")) to.updated = moment_of(from, "updated");
  to.destination = text_of(from, "destination");
  to.delivery = configuration_from(from.at("delivery").as_object());
  to.delivery.stream = to.id;
  to.delivery.version = to.version;
  to.delivery.stream_name = to.name;
  for (const auto& tag : from.at("tags").as_object())
    to.tags[std::string(tag.key())] = std::string(tag.value().as_string());
  to.encryption.enabled = from.at("encrypted").as_bool();
  to.encryption.key_type = text_of(from, "key_type");
  to.encryption.key_arn = text_of(from, "key_arn");
  if (from.contains("throughput_mib_hint"))
    to.throughput_mib_hint = from.at("throughput_mib_hint").to_number<int64_t>();
  return to;
}

}  // namespace

std::string definition_key(std::string_view name) {
  return state::key(kStreams, name);
}

std::string to_row(const Definition& from) {
  json::object tags;
  for (const auto& [key, value] : from.tags) tags[key] = value;
  json::object to{{"name", from.name},
                  {"arn", from.arn},
                  {"account", from.account},
                  {"id", from.id},
                  {"deleting", from.status == Status::deleting},
                  {"version", from.version},
                  {"created", micros(from.created)},
                  {"destination", from.destination},
                  {"delivery", configuration_to_json(from.delivery)},
                  {"tags", std::move(tags)},
                  {"encrypted", from.encryption.enabled},
                  {"key_type", from.encryption.key_type},
                  {"key_arn", from.encryption.key_arn}};
  if (from.updated) to["updated"] = micros(*from.updated);
  if (from.throughput_mib_hint) to["throughput_mib_hint"] = *from.throughput_mib_hint;
  return json::serialize(to);
}

Result<Definition> from_row(std::string_view row) {
  try {
    return definition_from(json::parse({row.data(), row.size()}).as_object());
  } catch (const std::exception& problem) {  // Boost.JSON throws on what is not there.
    return fail(ErrorKind::corrupt, fmt::format("row of a stream: {}", problem.what()));
  }
}

Result<std::vector<Definition>> read_definitions(state::Database& database) {
  auto transaction = database.begin();
  if (!transaction) return fail(transaction.error(), "reading streams");
  const std::string first = state::key(kStreams);
  const auto rows = (*transaction)->scan(first, state::prefix_end(first), SIZE_MAX);
  if (!rows) return fail(rows.error(), "reading streams");
  std::vector<Definition> definitions;
  for (const state::Entry& row : *rows) {
    auto definition = from_row(row.value);
    if (!definition) return fail(definition.error());
    definitions.push_back(std::move(*definition));
  }
  return definitions;
}

}  // namespace laketap::ingest
