// The doors of Amazon S3: buckets, objects, versions, listings, uploads in parts.
//
// What is known and not built answers 501 NotImplemented, or, where tools read a setting of every
// bucket, what AWS says of a bucket on which it was never set (docs/gaps.md).
#pragma once

#include "store/multipart.h"
#include "store/store.h"
#include "wire/wire.h"

namespace laketap::api::s3 {

struct Options {
  std::string account = "000000000000";
  size_t threads = 4;  // For blocks of bodies on their way to the disk.
};

// Borrows `store`, which must outlive `operations`.
void register_s3(wire::Operations& operations, store::Store& store, Options options = {});

}  // namespace laketap::api::s3
