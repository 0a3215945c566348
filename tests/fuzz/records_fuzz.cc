// The scan's way through a file: the same records are found however the bytes arrive, and whether
// they are looked into or counted.
#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "worker/records.h"

using namespace laketap;

namespace {

class Memory : public worker::Source {
 public:
  Memory(std::string_view text, size_t piece) : text_(text), piece_(piece) {}
  Result<size_t> read(std::span<char> target) override {
    const size_t bytes = std::min({piece_, target.size(), text_.size()});
    std::memcpy(target.data(), text_.data(), bytes);
    text_.remove_prefix(bytes);
    return bytes;
  }
  uint64_t stored_bytes() const override { return 0; }

 private:
  std::string_view text_;
  size_t piece_;
};

struct Counts {
  size_t objects = 0, arrays = 0, malformed = 0;
  bool operator==(const Counts&) const = default;
};

Counts count(std::string_view text, size_t piece, bool count_only) {
  Memory source(text, piece);
  worker::Records records(source, count_only);
  Counts counts;
  for (;;) {
    const auto found = records.next([](worker::Cursor& cursor, bool) {
      return cursor.skip_nested() ? worker::Walked::ok : worker::Walked::bad_syntax;
    });
    ASSERT(found);
    switch (*found) {
      case worker::Records::Found::object: ++counts.objects; break;
      case worker::Records::Found::array: ++counts.arrays; break;
      case worker::Records::Found::malformed: ++counts.malformed; break;
      default: return counts;
    }
    ASSERT(counts.objects + counts.arrays + counts.malformed <= text.size() + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Counts whole = count(text, size + 1, false);
  ASSERT(count(text, 1, false) == whole);
  ASSERT(count(text, 64, false) == whole);
  (void)count(text, size + 1, true);
  return 0;
}
