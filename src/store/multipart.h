// Uploads in parts: parts arrive in any order, over many requests, and become one object.
//
//     create ── part, part, part ... ── complete ──▶ an object, as if put in one go
//
// Open uploads and their parts survive a restart. They are in no listing of objects.
#pragma once

#include "store/store.h"

namespace laketap::store {

inline constexpr int kPartNumberMax = 10'000;

struct OpenUpload {
  std::string bucket, key, upload_id;
  Timestamp initiated;
  std::map<std::string, std::string> metadata;  // Of the object to be; the caller's own notes, too.
};

struct Part {
  int number = 0;
  uint64_t size = 0;
  std::string etag;  // Without quotes.
  Timestamp last_modified;
  std::map<std::string, std::string> metadata;  // Checksums, as the caller named them.
};

struct OpenUploadsRequest {
  std::string prefix = {}, delimiter = {};
  // Uploads of keys after this one; with an id, also those of this key with a greater id.
  std::string key_marker = {}, upload_id_marker = {};
  size_t limit = 1000;
};
struct OpenUploadsPage {
  std::vector<OpenUpload> uploads;  // By key, then id.
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key, next_upload_id;
};

// A part that nobody sees before commit(). One thread at a time. Destroying it removes its file.
class PartUpload {
 public:
  virtual ~PartUpload() = default;
  // Errors: full, unavailable.
  virtual Result<> write(ByteView bytes) = 0;
  virtual uint64_t size() const = 0;
  // Durable when it returns; replaces an earlier part of this number. Errors: not_found - the
  // upload is over.
  virtual Result<Part> commit(const std::string& etag,
                              const std::map<std::string, std::string>& metadata) = 0;
};

// Thread-safe. not_found: the bucket ("bucket ..."), or no open upload of this id and key ("upload
// ...").
class Multipart {
 public:
  virtual ~Multipart() = default;

  virtual Result<OpenUpload> create(const std::string& bucket, const std::string& key,
                                    const std::map<std::string, std::string>& metadata) = 0;
  virtual Result<OpenUpload> find(const std::string& bucket, const std::string& key,
                                  const std::string& upload_id) const = 0;
  // `number` from 1 to kPartNumberMax.
  virtual Result<std::unique_ptr<PartUpload>> begin_part(const std::string& bucket,
                                                         const std::string& key,
                                                         const std::string& upload_id,
                                                         int number) = 0;
  // Parts with a number over `after`, in order, at most `limit`.
  virtual Result<std::vector<Part>> parts(const OpenUpload& upload, int after,
                                          size_t limit) const = 0;
  virtual Result<OpenUploadsPage> list(const std::string& bucket,
                                       const OpenUploadsRequest& request) const = 0;
  // Joins `parts` in their order to one object; the upload and all its parts are gone in the same
  // step. The parts must be as parts() gave them. Errors: conflict - a part was replaced meanwhile;
  // those of Upload::commit().
  virtual Result<ObjectInfo> complete(const OpenUpload& upload, const std::vector<Part>& parts,
                                      const CommitOptions& options) = 0;
  virtual Result<> abort(const OpenUpload& upload) = 0;
};

}  // namespace laketap::store
