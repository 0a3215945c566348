// The object that CopyObject and UploadPartCopy read. Inner header.
#pragma once

#include "api/s3/headers.h"

namespace laketap::api::s3 {

// An object whose file stays while this lives.
struct Source {
  store::ObjectInfo object;
  store::Pin pin;
};

struct SourceConditions {
  std::optional<std::string> if_match, if_none_match;
  std::optional<Timestamp> if_modified_since, if_unmodified_since;
};
template <class In>
SourceConditions source_conditions(const In& input) {
  return {input.copy_source_if_match, input.copy_source_if_none_match,
          input.copy_source_if_modified_since, input.copy_source_if_unmodified_since};
}

// `copy_source` as the header has it: [/]BUCKET/KEY[?versionId=ID], percent-encoded.
wire::Answer<Source> open_source(Doors& doors, const std::string& copy_source,
                                 const SourceConditions& conditions);

// Calls `write` with the bytes of the file, block by block.
Result<> read_file(const std::string& path, uint64_t first, uint64_t bytes,
                   const std::function<Result<>(ByteView)>& write);

}  // namespace laketap::api::s3
