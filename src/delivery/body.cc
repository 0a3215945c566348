#include "delivery/body.h"

#include <zlib.h>

#include "base/assert.h"

namespace laketap::delivery {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
constexpr int kGzipLevel = 1;  // Level 6 is four times as slow for a tenth less (spike: limits.md).

class Plain : public Body {
 public:
  explicit Plain(store::Upload& upload) : upload_(upload) {}

  Result<> write(ByteView records) override {
    if (records.size() >= kBlockBytes / 4) {  // Worth a call of its own, without the copy.
      if (auto flushed = flush(); !flushed) return flushed;
      return upload_.write(records);
    }
    block_.insert(block_.end(), records.begin(), records.end());
    return block_.size() >= kBlockBytes ? flush() : Result<>();
  }
  Result<> finish() override { return flush(); }

 private:
  Result<> flush() {
    if (block_.empty()) return {};
    auto written = upload_.write(block_);
    block_.clear();
    return written;
  }

  store::Upload& upload_;
  Bytes block_;
};

class Gzip : public Body {
 public:
  explicit Gzip(store::Upload& upload) : upload_(upload), block_(kBlockBytes) {
    constexpr int kGzipFormat = 15 + 16;  // zlib.h: the largest window, and a gzip header.
    const int status =
        deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, kGzipFormat, 8, Z_DEFAULT_STRATEGY);
    ASSERT(status == Z_OK);
  }
  ~Gzip() override { deflateEnd(&stream_); }

  Result<> write(ByteView records) override { return deflate_all(records, Z_NO_FLUSH); }
  Result<> finish() override { return deflate_all({}, Z_FINISH); }

 private:
  Result<> deflate_all(ByteView records, int flush) {
    stream_.next_in = const_cast<uint8_t*>(records.data());  // zlib reads it only.
    stream_.avail_in = static_cast<uInt>(records.size());
    do {
      stream_.next_out = block_.data();
      stream_.avail_out = static_cast<uInt>(block_.size());
      deflate(&stream_, flush);
      const auto made = ByteView(block_).first(block_.size() - stream_.avail_out);
      if (made.empty()) continue;
      if (auto written = upload_.write(made); !written) return written;
    } while (stream_.avail_out == 0);
    return {};
  }

  store::Upload& upload_;
  Bytes block_;
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Body> Body::make(Compression compression, store::Upload& upload) {
  switch (compression) {
    case Compression::none: return std::make_unique<Plain>(upload);
    case Compression::gzip: return std::make_unique<Gzip>(upload);
  }
  return nullptr;
}

std::map<std::string, std::string> object_metadata(Compression compression) {
  std::map<std::string, std::string> metadata{{"content-type", "application/octet-stream"}};
  if (compression == Compression::gzip) metadata["content-encoding"] = "gzip";
  return metadata;
}

}  // namespace laketap::delivery
