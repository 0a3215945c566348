// Where JSON's structure lies: the first pass over a text, 64 bytes at a time with AVX2.
//
// After Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019), with two changes: both
// quotes of a string are recorded, so that the length of a key or value is known without looking
// for its end; and a line break inside a string stops the pass, since no record has one (RFC 8259
// section 7): the text before it is whole, and one bad line does not turn the rest inside out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace laketap::worker {

// Bytes that may be read behind a text, and are overwritten with blanks while it is indexed.
inline constexpr size_t kPaddingBytes = 64;

class Structurals {
 public:
  // Records the offsets of { } [ ] : , of quotes that are not escaped, and of the first character
  // of every other value. `text` must have kPaddingBytes of room behind `bytes`.
  void index(const char* text, size_t bytes);

  // As index(), but of brackets only: for counting records.
  void index_brackets(const char* text, size_t bytes);

  // Puts `count` offsets of the text's end behind the last one.
  void seal(size_t count);

  const uint32_t* data() const { return offsets_.data(); }
  size_t count() const { return count_; }
  // How much of the text was indexed: all of it, or up to the line break inside a string.
  size_t indexed_bytes() const { return indexed_bytes_; }
  bool stopped_in_string() const { return stopped_in_string_; }
  bool has_backslash() const { return has_backslash_; }
  // Some byte is not ASCII.
  bool has_high_bit() const { return has_high_bit_; }

 private:
  template <bool kBracketsOnly>
  void run(const char* text, size_t bytes);

  std::vector<uint32_t> offsets_;
  size_t count_ = 0, indexed_bytes_ = 0;
  bool stopped_in_string_ = false, has_backslash_ = false;
  bool has_high_bit_ = false;
};

}  // namespace laketap::worker
