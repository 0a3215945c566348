#include "store/rows.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::store {
namespace {
namespace json = boost::json;
}

std::string write_row(const Row& row) {
  const ObjectInfo& info = row.info;
  json::object object{{"version", info.version_id},
                      {"at", info.last_modified.time_since_epoch().count()},
                      {"order", row.order}};
  if (row.older) object["older"] = true;
  if (info.delete_marker) {
    object["marker"] = true;
    return json::serialize(object);
  }
  object["etag"] = info.etag;
  object["path"] = info.path;
  object["size"] = info.size;
  if (!info.plan_id.empty()) object["plan"] = info.plan_id;
  if (!info.metadata.empty()) {
    json::object metadata;
    for (const auto& [name, value] : info.metadata) metadata[name] = value;
    object["metadata"] = std::move(metadata);
  }
  return json::serialize(object);
}

Result<Row> read_row(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    Row row;
    row.info.version_id = std::string(object.at("version").as_string());
    row.info.last_modified = from_epoch_micros(object.at("at").to_number<int64_t>());
    row.order = object.at("order").to_number<uint64_t>();
    row.older = object.contains("older");
    row.info.delete_marker = object.contains("marker");
    if (row.info.delete_marker) return row;
    row.info.etag = std::string(object.at("etag").as_string());
    row.info.path = std::string(object.at("path").as_string());
    row.info.size = object.at("size").to_number<uint64_t>();
    if (const json::value* plan = object.if_contains("plan"))
      row.info.plan_id = std::string(plan->as_string());
    if (const json::value* metadata = object.if_contains("metadata"))
      for (const auto& member : metadata->as_object())
        row.info.metadata[std::string(member.key())] = std::string(member.value().as_string());
    return row;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading an object's row: ") + exception.what());
  }
}

std::string write_bucket(const Bucket& bucket) {
  return json::serialize(json::object{{"region", bucket.region},
                                      {"created", bucket.created.time_since_epoch().count()},
                                      {"versioning", static_cast<int>(bucket.versioning)}});
}

Result<Bucket> read_bucket(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    Bucket bucket;
    bucket.region = std::string(object.at("region").as_string());
    bucket.created = from_epoch_micros(object.at("created").to_number<int64_t>());
    bucket.versioning = static_cast<Versioning>(object.at("versioning").to_number<int>());
    return bucket;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a bucket's row: ") + exception.what());
  }
}

std::string bucket_key(const std::string& name) {
  return state::key("bucket", name);
}
std::string buckets_prefix() {
  return state::key("bucket");
}
std::string object_key(const std::string& bucket, const std::string& key) {
  return state::key("object", bucket, key);
}
std::string objects_prefix(const std::string& bucket, const std::string& prefix) {
  std::string made = state::key("object", bucket, prefix);
  made.pop_back();  // The key goes on after the prefix.
  return made;
}
std::string key_of(std::string_view state_key) {
  return state::parts_of(state_key).at(2);
}
std::string versions_prefix(const std::string& bucket, const std::string& key) {
  return state::key("version", bucket, key);
}
std::string bucket_versions_prefix(const std::string& bucket) {
  return state::key("version", bucket);
}
std::string version_key(const std::string& bucket, const std::string& key, uint64_t order) {
  return state::key("version", bucket, key, fmt::format("{:020}", UINT64_MAX - order));
}
std::string open_upload_key(const std::string& bucket, const std::string& key,
                            const std::string& upload_id) {
  return state::key("upload", bucket, key, upload_id);
}
std::string open_uploads_prefix(const std::string& bucket) {
  return state::key("upload", bucket);
}
std::string part_key(const std::string& upload_id, int number) {
  return state::key("part", upload_id, fmt::format("{:05}", number));
}
std::string parts_prefix(const std::string& upload_id) {
  return state::key("part", upload_id);
}
std::string plan_key(const std::string& plan_id) {
  return state::key("plan-object", plan_id);
}
std::string identified_key(const std::string& id) {
  return state::key("file", id);
}

}  // namespace laketap::store
