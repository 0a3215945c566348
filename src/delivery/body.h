// Writes a batch's records into an upload: joined, in large blocks, compressed where asked for.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "delivery/configuration.h"
#include "store/store.h"

namespace laketap::delivery {

// One thread. Borrows the upload. Errors: as Upload::write.
class Body {
 public:
  static std::unique_ptr<Body> make(Compression compression, store::Upload& upload);
  virtual ~Body() = default;
  virtual Result<> write(ByteView records) = 0;
  virtual Result<> finish() = 0;  // Once, last.
};

// What the object says of itself: content type, and encoding where there is one.
std::map<std::string, std::string> object_metadata(Compression compression);

}  // namespace laketap::delivery
