#include "crawler/seen.h"

#include <boost/json.hpp>

namespace laketap::crawler {
namespace {

namespace json = boost::json;

// Of what many objects share: [classification, compression, {traits}, shape, [paths]].
json::value to_json(const Looked& looked) {
  json::object traits;
  for (const auto& [key, value] : looked.format.traits) traits[key] = value;
  json::array paths(looked.schema->paths.begin(), looked.schema->paths.end());
  return json::array{looked.format.classification, looked.format.compression, std::move(traits),
                     write_shape(looked.schema->root), std::move(paths)};
}

Looked from_json(const json::value& value) {
  Looked made;
  const json::array& parts = value.as_array();
  made.format.classification = std::string(parts.at(0).as_string());
  made.format.compression = std::string(parts.at(1).as_string());
  for (const auto& member : parts.at(2).as_object())
    made.format.traits[std::string(member.key())] = std::string(member.value().as_string());
  Schema schema;
  if (std::optional<Shape> shape = read_shape(parts.at(3).as_string()))
    schema.root = std::move(*shape);
  for (const json::value& path : parts.at(4).as_array())
    schema.paths.emplace_back(path.as_string());
  made.schema = std::make_shared<const Schema>(std::move(schema));
  return made;
}

}  // namespace

std::string write_seen(const SeenFolder& folder) {
  std::map<std::string, size_t> kinds;
  json::array kind_list;
  json::object files;
  for (const auto& [name, seen] : folder) {
    if (!seen.known) {
      files[name] = json::array{seen.etag};
      continue;
    }
    json::value kind = to_json(seen.looked);
    const auto [found, is_new] = kinds.emplace(json::serialize(kind), kinds.size());
    if (is_new) kind_list.push_back(std::move(kind));
    files[name] = json::array{seen.etag, found->second, seen.looked.size, seen.looked.records,
                              seen.looked.record_bytes};
  }
  return json::serialize(
      json::object{{"kinds", std::move(kind_list)}, {"files", std::move(files)}});
}

SeenFolder read_seen(std::string_view text) {
  SeenFolder out;
  try {
    const json::value value = json::parse(text);
    std::vector<Looked> kinds;
    for (const json::value& kind : value.at("kinds").as_array()) kinds.push_back(from_json(kind));
    for (const auto& member : value.at("files").as_object()) {
      const json::array& parts = member.value().as_array();
      Seen seen{.etag = std::string(parts.at(0).as_string()), .known = false, .looked = {}};
      if (parts.size() > 1) {
        seen.known = true;
        seen.looked = kinds.at(parts.at(1).to_number<size_t>());
        seen.looked.size = parts.at(2).to_number<uint64_t>();
        seen.looked.records = parts.at(3).to_number<uint64_t>();
        seen.looked.record_bytes = parts.at(4).to_number<uint64_t>();
      }
      out.emplace(std::string(member.key()), std::move(seen));
    }
  } catch (const std::exception&) {
    return {};
  }
  return out;
}

std::string seen_prefix(const std::string& crawler) {
  return state::key("crawler-seen", crawler);
}
std::string seen_key(const std::string& crawler, const std::string& bucket,
                     const std::string& folder) {
  return state::key("crawler-seen", crawler, bucket, folder);
}

}  // namespace laketap::crawler
