// Where a stream's records go and how: what one version of a stream's destination says.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace laketap::delivery {

enum class Compression { none, gzip };

// Values as given; validate_prefixes() in delivery/prefix.h says which prefixes are allowed.
struct Configuration {
  uint64_t stream = 0;   // The stream's number, never used again for another of the same name.
  uint64_t version = 1;  // Firehose's VersionId: one more with each update.
  std::string stream_name;
  std::string bucket;
  std::string prefix;        // With expressions; empty: time folders only.
  std::string error_prefix;  // Kept for what cannot be converted; nothing writes there yet.
  std::string extension;     // ".log"; empty: what the compression implies.
  Compression compression = Compression::none;
  uint64_t size_bytes = 5 << 20;  // A batch is due at this many bytes (Firehose's default 5 MiB),
  std::chrono::seconds interval{300};  // or at this age. 0: within about a second.
};

}  // namespace laketap::delivery
