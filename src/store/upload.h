// LocalUpload: a file in .uploads until its row is written. Inner header of store.
#pragma once

#include "io/block_writer.h"
#include "store/local.h"

namespace laketap::store {

class LocalUpload : public Upload {
 public:
  LocalUpload(Local& store, std::string bucket, std::string key, std::string id,
              std::string temporary, std::unique_ptr<io::BlockWriter> file, Also also)
      : store_(store),
        bucket_(std::move(bucket)),
        key_(std::move(key)),
        id_(std::move(id)),
        temporary_(std::move(temporary)),
        file_(std::move(file)),
        also_(std::move(also)) {}
  ~LocalUpload() override {
    file_.reset();
    (void)store_.files_.remove(temporary_);
  }

  Result<> write(ByteView bytes) override;
  uint64_t size() const override { return size_; }
  Result<ObjectInfo> commit(const CommitOptions& options) override;

 private:
  Local& store_;
  std::string bucket_, key_, id_, temporary_;
  std::unique_ptr<io::BlockWriter> file_;
  Also also_;
  uint64_t size_ = 0;
};

}  // namespace laketap::store
