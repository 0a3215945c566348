// DeleteObject and DeleteObjects.
#include "api/s3/headers.h"

namespace laketap::api::s3 {
namespace {

constexpr size_t kKeysMax = 1000;

wire::Answer<shapes::DeleteObjectOutput> delete_object(Doors& doors, const wire::Call&,
                                                       const shapes::DeleteObjectRequest& input) {
  if (input.if_match_size) return std::unexpected(not_implemented("x-amz-if-match-size"));
  if (input.if_match_last_modified_time)
    return std::unexpected(not_implemented("x-amz-if-match-last-modified-time"));
  const bool any = input.if_match && *input.if_match == "*";
  const std::string etag = input.if_match && !any ? unquoted(*input.if_match) : "";
  const std::string version = input.version_id.value_or("");
  const Result<store::Removed> removed = doors.store.remove(input.bucket, input.key, version, etag);
  if (!removed)
    return std::unexpected(to_fault(
        removed.error(), {.bucket = input.bucket, .key = input.key, .version_id = version}));
  shapes::DeleteObjectOutput output;
  if (removed->delete_marker) output.delete_marker = true;
  if (!removed->version_id.empty()) output.version_id = removed->version_id;
  if (!removed->found && !version.empty() && version != "null") output.version_id = version;
  return output;
}

wire::Answer<shapes::DeleteObjectsOutput> delete_objects(
    Doors& doors, const wire::Call&, const shapes::DeleteObjectsRequest& input) {
  if (input.delete_.objects.empty() || input.delete_.objects.size() > kKeysMax)
    return wire::refuse("MalformedXML", 400,
                        "The XML you provided was not well-formed or did not validate against our "
                        "published schema");
  shapes::DeleteObjectsOutput output;
  std::vector<store::RemoveRequest> requests;
  for (const shapes::ObjectIdentifier& one : input.delete_.objects)
    requests.push_back({.key = one.key,
                        .version_id = one.version_id.value_or(""),
                        .if_match = one.e_tag ? unquoted(*one.e_tag) : ""});
  const auto removed = doors.store.remove_all(input.bucket, requests);
  if (!removed) return std::unexpected(to_fault(removed.error(), {.bucket = input.bucket}));
  std::vector<shapes::DeletedObject> deleted;
  std::vector<shapes::Error> errors;
  for (size_t i = 0; i < requests.size(); ++i) {
    const shapes::ObjectIdentifier& one = input.delete_.objects[i];
    const Result<store::Removed>& answer = (*removed)[i];
    if (!answer) {
      const wire::Fault fault =
          to_fault(answer.error(),
                   {.bucket = input.bucket, .key = one.key, .version_id = requests[i].version_id});
      errors.push_back({.key = one.key,
                        .version_id = one.version_id,
                        .code = fault.code,
                        .message = fault.message});
      continue;
    }
    if (input.delete_.quiet.value_or(false)) continue;
    shapes::DeletedObject shown;
    shown.key = one.key;
    shown.version_id = one.version_id;
    if (answer->delete_marker) {
      shown.delete_marker = true;
      shown.delete_marker_version_id = answer->version_id;
    }
    deleted.push_back(std::move(shown));
  }
  if (!deleted.empty()) output.deleted = std::move(deleted);
  if (!errors.empty()) output.errors = std::move(errors);
  return output;
}

}  // namespace

void add_removals(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add(operations, doors, "DeleteObject", delete_object);
  add(operations, doors, "DeleteObjects", delete_objects);
}

}  // namespace laketap::api::s3
