// Finds the records of a file, whatever stands between them: line breaks, nothing, commas in an
// array at the root. One window of the file at a time; memory is bounded by the longest record.
//
// A record ends at its closing bracket, so one may span lines. What is no JSON is one malformed
// record up to the end of its line, and reading goes on at the next line.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "worker/cursor.h"
#include "worker/source.h"
#include "worker/structurals.h"

namespace laketap::worker {

inline constexpr size_t kWindowBytes = 256 * 1024;  // Fits a core's cache with its structurals.
inline constexpr size_t kRecordBytesMax = 16 * 1024 * 1024;  // A longer one is malformed.

enum class Walked {
  ok,          // Past the record's last bracket.
  bad_value,   // A value that does not fit its column; the query ends.
  bad_syntax,  // No JSON, or cut short: Cursor::ran_out() tells.
};

class Records {
 public:
  enum class Found { object, array, malformed, end, bad_value };

  // Borrows `source`. `count_only`: records are found and not looked into.
  Records(Source& source, bool count_only);

  // Finds the next record and lets `walk(Cursor&, bool is_array)` read it; it may be called again
  // for the same record, when more of it had to be fetched.
  template <class Walk>
  Result<Found> next(Walk&& walk) {
    for (;;) {
      if (const size_t bad = brackets_only_ ? bad_in_gap() : std::string_view::npos;
          bad != std::string_view::npos) {
        const auto skipped = skip_line(bad);
        if (!skipped) return fail(skipped.error());
        return Found::malformed;
      }
      if (cursor_.ran_out()) {
        const auto more = refill(indexed_bytes_);
        if (!more) return fail(more.error());
        if (!*more) return Found::end;
        continue;
      }
      const char c = cursor_.peek();
      if (in_array_ && (c == ',' || c == ']')) {
        in_array_ = c == ',';
        record_end_ = cursor_.offsets[cursor_.at++] + 1;
        continue;
      }
      if (c == '[' && !in_array_) {
        if (brackets_only_) {  // What stands in it matters now.
          brackets_only_ = false;
          index_from(cursor_.offsets[cursor_.at]);
          continue;
        }
        const char inner = cursor_.peek(1);
        if (inner == '{' || inner == ']') {
          in_array_ = inner == '{';
          cursor_.at += inner == '{' ? 1 : 2;
          continue;
        }
      }
      if (c == '{' || c == '[') {
        const size_t start = cursor_.at;
        const Walked walked = walk(cursor_, c == '[');
        last_offset_ = window_offset_ + base_ + cursor_.offsets[start];
        if (walked == Walked::ok && cursor_.at <= cursor_.count) {
          bad_in_a_row_ = 0;
          record_end_ = cursor_.offsets[cursor_.at - 1] + 1;
          return c == '{' ? Found::object : Found::array;
        }
        // A walk looks as far as the value behind a key and a colon: what stopped it may be the
        // cut.
        bool cut = cursor_.at + 4 > cursor_.count;
        cursor_.at = start;
        if (walked == Walked::bad_value) {  // To blame only when its record is one.
          Cursor whole = cursor_;
          if (whole.skip_nested()) return Found::bad_value;
          cut = whole.ran_out();
        }
        if (cut && can_grow(start)) {
          const auto more = refill(cursor_.offsets[start]);
          if (!more) return fail(more.error());
          continue;
        }
      }
      const auto skipped = skip_line(cursor_.offsets[cursor_.at]);
      if (!skipped) return fail(skipped.error());
      return Found::malformed;
    }
  }

  // Where the record that was found last begins, in the decompressed file.
  uint64_t offset() const { return last_offset_; }

 private:
  bool can_grow(size_t start);
  // Where something stands behind the last record that is no blank and no bracket; else npos.
  size_t bad_in_gap() const;
  // Fetches more, keeping the text from `keep` on. False: there is no more and nothing is kept.
  Result<bool> refill(size_t keep);
  // Past the line break after `from`.
  Result<> skip_line(size_t from);
  void index_from(size_t offset);

  Source& source_;
  std::vector<char> window_;
  size_t filled_ = 0;           // Bytes of text in the window.
  size_t indexed_bytes_ = 0;    // Of those, whose structurals are known.
  size_t base_ = 0;             // Where the indexed text begins in the window.
  size_t record_end_ = 0;       // Behind the last record, from base_.
  uint64_t window_offset_ = 0;  // Of the window's first byte in the file.
  uint64_t last_offset_ = 0;
  size_t bad_in_a_row_ = 0;
  bool at_end_ = false, in_array_ = false, brackets_only_;
  Structurals structurals_;
  Cursor cursor_;
};

}  // namespace laketap::worker
