// ListObjects, ListObjectsV2, ListObjectVersions: pages of the store's ordered index.
#include <algorithm>

#include "api/s3/headers.h"
#include "http/url.h"

namespace laketap::api::s3 {
namespace {

constexpr int64_t kKeysMax = 1000;
constexpr std::string_view kTokenPrefix = "1";  // The form of a token: "1" and the base64 of a key.

// What all three have in common; texts encoded as the caller asked.
class Listing {
 public:
  template <class In>
  static wire::Answer<Listing> open(Doors& doors, const In& input) {
    Listing made(doors, input.encoding_type.has_value());
    if (input.encoding_type && *input.encoding_type != "url")
      return std::unexpected(invalid_argument("Invalid Encoding Method specified in Request",
                                              "encoding-type", *input.encoding_type));
    const int64_t wanted = input.max_keys.value_or(kKeysMax);
    if (wanted < 0)
      return std::unexpected(
          invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647",
                           "max-keys", std::to_string(wanted)));
    made.request.prefix = input.prefix.value_or("");
    made.request.delimiter = input.delimiter.value_or("");
    made.request.limit = static_cast<size_t>(std::min(wanted, kKeysMax));
    return made;
  }

  std::string encoded(const std::string& text) const {
    return encode_ ? http::percent_encode(text, true) : text;
  }
  std::optional<std::string> encoded(const std::optional<std::string>& text) const {
    return text ? std::optional(encoded(*text)) : std::nullopt;
  }

  // The members that all three answers have.
  template <class In, class Out>
  wire::Answer<store::Page> page(const In& input, Out& output) const {
    Result<store::Page> found = doors_.store.list(input.bucket, request);
    if (!found) return std::unexpected(to_fault(found.error(), {.bucket = input.bucket}));
    output.name = input.bucket;
    output.prefix = encoded(request.prefix);
    if (!request.delimiter.empty()) output.delimiter = encoded(request.delimiter);
    output.max_keys = static_cast<int64_t>(request.limit);
    output.is_truncated = found->truncated;
    if (encode_) output.encoding_type = "url";
    if (!found->common_prefixes.empty()) {
      output.common_prefixes.emplace();
      for (const std::string& one : found->common_prefixes)
        output.common_prefixes->push_back({.prefix = encoded(one)});
    }
    return std::move(*found);
  }

  shapes::Owner owner() const {
    return {.display_name = std::nullopt, .id = doors_.options.account};
  }

  template <class Entry>
  Entry entry(const store::ObjectInfo& object) const {
    Entry shown;
    shown.key = encoded(object.key);
    shown.last_modified = object.last_modified;
    shown.e_tag = quoted(object.etag);
    shown.size = static_cast<int64_t>(object.size);
    shown.storage_class = kept(object.metadata, "storage-class").value_or("STANDARD");
    if (const std::optional<Algorithm> algorithm = algorithm_of(object.metadata)) {
      shown.checksum_algorithm = std::vector{std::string(name_of(*algorithm))};
      shown.checksum_type = kept(object.metadata, kChecksumType).value_or("FULL_OBJECT");
    }
    return shown;
  }

  store::ListRequest request;

 private:
  Listing(Doors& doors, bool encode) : doors_(doors), encode_(encode) {}

  Doors& doors_;
  bool encode_;
};

wire::Answer<shapes::ListObjectsOutput> list_objects(Doors& doors, const wire::Call&,
                                                     const shapes::ListObjectsRequest& input) {
  wire::Answer<Listing> listing = Listing::open(doors, input);
  if (!listing) return std::unexpected(listing.error());
  listing->request.start_after = input.marker.value_or("");
  shapes::ListObjectsOutput output;
  const auto page = listing->page(input, output);
  if (!page) return std::unexpected(page.error());
  output.marker = listing->encoded(input.marker.value_or(""));
  if (page->truncated && !listing->request.delimiter.empty())
    output.next_marker = listing->encoded(page->next);
  if (!page->objects.empty()) output.contents.emplace();
  for (const store::ObjectInfo& object : page->objects) {
    output.contents->push_back(listing->entry<shapes::Object>(object));
    output.contents->back().owner = listing->owner();
  }
  return output;
}

std::string make_token(const std::string& next) {
  return std::string(kTokenPrefix) + to_base64(view(next));
}

std::optional<std::string> read_token(std::string_view token) {
  if (!token.starts_with(kTokenPrefix)) return std::nullopt;
  token.remove_prefix(kTokenPrefix.size());
  if (token.size() > 4 * store::kKeyBytesMax) return std::nullopt;
  std::string key;
  // Keys are longer than what from_base64() takes at once.
  for (; !token.empty(); token.remove_prefix(std::min<size_t>(token.size(), 1024))) {
    const auto bytes = from_base64(token.substr(0, 1024));
    if (!bytes) return std::nullopt;
    key += text(*bytes);
  }
  if (key.empty()) return std::nullopt;
  return key;
}

wire::Answer<shapes::ListObjectsV2Output> list_objects_v2(
    Doors& doors, const wire::Call&, const shapes::ListObjectsV2Request& input) {
  wire::Answer<Listing> listing = Listing::open(doors, input);
  if (!listing) return std::unexpected(listing.error());
  listing->request.start_after = input.start_after.value_or("");
  if (input.continuation_token) {
    const auto next = read_token(*input.continuation_token);
    if (!next)
      return std::unexpected(invalid_argument("The continuation token provided is incorrect",
                                              "continuation-token", *input.continuation_token));
    listing->request.start_after = *next;
  }
  shapes::ListObjectsV2Output output;
  const auto page = listing->page(input, output);
  if (!page) return std::unexpected(page.error());
  output.key_count = static_cast<int64_t>(page->objects.size() + page->common_prefixes.size());
  output.continuation_token = input.continuation_token;
  output.start_after = listing->encoded(input.start_after);
  if (page->truncated) output.next_continuation_token = make_token(page->next);
  if (!page->objects.empty()) output.contents.emplace();
  for (const store::ObjectInfo& object : page->objects) {
    output.contents->push_back(listing->entry<shapes::Object>(object));
    if (input.fetch_owner.value_or(false)) output.contents->back().owner = listing->owner();
  }
  return output;
}

wire::Answer<shapes::ListObjectVersionsOutput> list_versions(
    Doors& doors, const wire::Call&, const shapes::ListObjectVersionsRequest& input) {
  wire::Answer<Listing> listing = Listing::open(doors, input);
  if (!listing) return std::unexpected(listing.error());
  if (input.version_id_marker && !input.version_id_marker->empty() &&
      input.key_marker.value_or("").empty())
    return std::unexpected(
        invalid_argument("A version-id marker cannot be specified without a key marker.",
                         "version-id-marker", *input.version_id_marker));
  listing->request.versions = true;
  listing->request.start_after = input.key_marker.value_or("");
  listing->request.version_id_marker = input.version_id_marker.value_or("");
  shapes::ListObjectVersionsOutput output;
  const auto page = listing->page(input, output);
  if (!page) return std::unexpected(page.error());
  output.key_marker = listing->encoded(input.key_marker.value_or(""));
  output.version_id_marker = input.version_id_marker.value_or("");
  if (page->truncated) {
    output.next_key_marker = listing->encoded(page->next);
    if (!page->next_version_id.empty()) output.next_version_id_marker = page->next_version_id;
  }
  for (const store::ObjectInfo& object : page->objects) {
    if (object.delete_marker) {
      if (!output.delete_markers) output.delete_markers.emplace();
      output.delete_markers->push_back({.owner = listing->owner(),
                                        .key = listing->encoded(object.key),
                                        .version_id = object.version_id,
                                        .is_latest = object.is_latest,
                                        .last_modified = object.last_modified});
      continue;
    }
    if (!output.versions) output.versions.emplace();
    shapes::ObjectVersion shown = listing->entry<shapes::ObjectVersion>(object);
    shown.version_id = object.version_id;
    shown.is_latest = object.is_latest;
    shown.owner = listing->owner();
    output.versions->push_back(std::move(shown));
  }
  return output;
}

}  // namespace

void add_listings(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add(operations, doors, "ListObjects", list_objects);
  add(operations, doors, "ListObjectsV2", list_objects_v2);
  add(operations, doors, "ListObjectVersions", list_versions);
}

}  // namespace laketap::api::s3
