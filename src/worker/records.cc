#include "worker/records.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace laketap::worker {
namespace {

constexpr size_t kBadInARowMax =
    16;  // Then a line that does not end is not tried with the next ones.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Records::Records(Source& source, bool count_only) : source_(source), brackets_only_(count_only) {
  static const uint32_t nothing[kSentinels] = {};
  cursor_.text = "";
  cursor_.offsets = nothing;
}

bool Records::can_grow(size_t start) {
  return !at_end_ && !structurals_.stopped_in_string() && bad_in_a_row_ < kBadInARowMax &&
         filled_ - base_ - cursor_.offsets[start] < kRecordBytesMax;
}

size_t Records::bad_in_gap() const {
  const size_t end = cursor_.ran_out() ? indexed_bytes_ : cursor_.offsets[cursor_.at];
  for (size_t at = record_end_; at < end; ++at) {
    const char c = cursor_.text[at];
    if (c != '\n' && c != ' ' && c != '\r' && c != '\t') return at;
  }
  return std::string_view::npos;
}

void Records::index_from(size_t offset) {
  base_ += offset;
  char* text = window_.data() + base_;
  const size_t bytes = filled_ - base_;
  std::memset(text + bytes, 0, kPaddingBytes);
  if (brackets_only_)
    structurals_.index_brackets(text, bytes);
  else
    structurals_.index(text, bytes);

  indexed_bytes_ = structurals_.indexed_bytes();
  text[indexed_bytes_] = '\0';  // The broken string's line break, or the padding.
  structurals_.seal(kSentinels);
  cursor_.text = text;
  cursor_.offsets = structurals_.data();
  cursor_.at = 0;
  cursor_.count = structurals_.count();
  cursor_.has_backslash = structurals_.has_backslash();
  cursor_.dirty = structurals_.has_high_bit() && !brackets_only_ &&
                  !simdjson::validate_utf8(text, indexed_bytes_);
  record_end_ = 0;
}

Result<bool> Records::refill(size_t keep) {
  const size_t kept = filled_ - base_ - keep;
  if (at_end_ && kept == 0) {
    cursor_.at = cursor_.count;
    record_end_ = indexed_bytes_;
    return false;
  }
  if (kept > 0) std::memmove(window_.data(), window_.data() + base_ + keep, kept);
  window_offset_ += base_ + keep;
  base_ = 0;
  filled_ = kept;

  const size_t wanted = kept * 2 <= kWindowBytes ? kWindowBytes : kept * 2;
  if (window_.size() < wanted + kPaddingBytes) window_.resize(wanted + kPaddingBytes);
  while (filled_ < wanted && !at_end_) {
    const auto got = source_.read({window_.data() + filled_, wanted - filled_});
    if (!got) return fail(got.error());
    filled_ += *got;
    at_end_ = *got == 0;
  }
  const bool marked =
      window_offset_ == 0 && std::string_view(window_.data(), filled_).starts_with(kByteOrderMark);
  index_from(marked ? kByteOrderMark.size() : 0);
  return filled_ > 0;
}

Result<> Records::skip_line(size_t from) {
  ++bad_in_a_row_;
  last_offset_ = window_offset_ + base_ + from;
  bool guessed = false;  // The line began before this window: what is a string in it was guessed.
  for (;;) {
    const void* found = indexed_bytes_ > from
                            ? std::memchr(cursor_.text + from, '\n', indexed_bytes_ - from)
                            : nullptr;
    if (found) {
      record_end_ = static_cast<size_t>(static_cast<const char*>(found) - cursor_.text) + 1;
      if (guessed) {
        index_from(record_end_);
      } else {
        while (!cursor_.ran_out() && cursor_.offsets[cursor_.at] < record_end_) ++cursor_.at;
      }
      return {};
    }
    if (structurals_.stopped_in_string()) {
      index_from(indexed_bytes_ + 1);
      return {};
    }
    const auto more = refill(indexed_bytes_);
    if (!more) return fail(more.error());
    if (!*more) return {};
    from = 0;
    guessed = true;
  }
}

}  // namespace laketap::worker
