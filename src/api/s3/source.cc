#include "api/s3/source.h"

#include "http/url.h"
#include "io/files.h"

namespace laketap::api::s3 {
namespace {

constexpr size_t kBlockBytes = 1024 * 1024;
constexpr int kTriesMax = 5;

struct Named {
  std::string bucket, key, version_id;
};

std::optional<Named> read_name(std::string_view text) {
  Named named;
  const size_t question = text.rfind("?versionId=");
  if (question != std::string_view::npos) {
    const auto id = http::percent_decode(text.substr(question + 11));
    if (!id) return std::nullopt;
    named.version_id = *id;
    text = text.substr(0, question);
  }
  std::optional<std::string> decoded = http::percent_decode(text);
  if (!decoded) return std::nullopt;
  if (decoded->starts_with('/')) decoded->erase(0, 1);
  const size_t slash = decoded->find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == decoded->size()) return std::nullopt;
  named.bucket = decoded->substr(0, slash);
  named.key = decoded->substr(slash + 1);
  return named;
}

bool hold(const SourceConditions& conditions, const store::ObjectInfo& object) {
  const Timestamp modified = std::chrono::floor<std::chrono::seconds>(object.last_modified);
  const auto names = [&](const std::string& etag) {
    return etag == "*" || unquoted(etag) == object.etag;
  };
  if (conditions.if_match) {
    if (!names(*conditions.if_match)) return false;
  } else if (conditions.if_unmodified_since && modified > *conditions.if_unmodified_since) {
    return false;
  }
  if (conditions.if_none_match) return !names(*conditions.if_none_match);
  return !conditions.if_modified_since || modified > *conditions.if_modified_since;
}

}  // namespace

wire::Answer<Source> open_source(Doors& doors, const std::string& copy_source,
                                 const SourceConditions& conditions) {
  const std::optional<Named> named = read_name(copy_source);
  if (!named)
    return std::unexpected(
        invalid_argument("Copy Source must mention the source bucket and key: "
                         "sourcebucket/sourcekey",
                         "x-amz-copy-source", copy_source));
  const Subject subject{
      .bucket = named->bucket, .key = named->key, .version_id = named->version_id};
  for (int tries = 1;; ++tries) {
    Result<store::ObjectInfo> object =
        doors.store.find(named->bucket, named->key, named->version_id);
    if (!object) return std::unexpected(to_fault(object.error(), subject));
    if (object->delete_marker && named->version_id.empty())
      return std::unexpected(no_such_key(named->key));
    if (object->delete_marker)
      return std::unexpected(invalid_request(
          "The source of a copy request may not specifically refer to a delete marker by version "
          "id."));
    if (!hold(conditions, *object))
      return std::unexpected(precondition_failed("x-amz-copy-source-If-"));
    Result<store::Pin> pin = doors.store.pin(*object);
    if (!pin && pin.error().kind == ErrorKind::not_found && tries < kTriesMax) continue;
    if (!pin) return std::unexpected(to_fault(pin.error(), subject));
    return Source{.object = std::move(*object), .pin = std::move(*pin)};
  }
}

Result<> read_file(const std::string& path, uint64_t first, uint64_t bytes,
                   const std::function<Result<>(ByteView)>& write) {
  const auto file = io::real_files().open(path, {});
  if (!file) return fail(file.error());
  Bytes block(kBlockBytes);
  while (bytes > 0) {
    const std::span<uint8_t> target =
        std::span(block).first(std::min<uint64_t>(bytes, kBlockBytes));
    const Result<size_t> read = (*file)->read(first, target);
    if (!read) return fail(read.error());
    if (*read == 0) return fail(ErrorKind::corrupt, "an object's file is short");
    if (const Result<> written = write(ByteView(block).first(*read)); !written) return written;
    first += *read;
    bytes -= *read;
  }
  return {};
}

}  // namespace laketap::api::s3
