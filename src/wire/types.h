// What the generated structs are made of, besides std and base. Light: every generated header has
// it.
//
// How a shape of AWS's model becomes C++ (aws/codegen writes build/generated/wire/SERVICE.h):
//
//   structure          struct of the same name, in namespace laketap::wire::SERVICE; a plain
//   aggregate member             snake_case of the model's name, by botocore's rule:
//   DeliveryStreamName ->
//                      delivery_stream_name, DeliveryStreamARN -> delivery_stream_arn, SizeInMBs ->
//                      size_in_mbs, SSEKMSKeyId -> ssekms_key_id, ETag -> e_tag; keywords: delete_
//   required member    T; every other member std::optional<T>, lists and maps too (absent is not
//   empty) string, enum       std::string; the enum's values are checked when decoded, not by the
//   C++ type integer, long      int64_t          float, double      double          boolean   bool
//   timestamp          Timestamp        blob               Bytes, or Base64View where actions.toml
//   says so list               std::vector<T>   map                std::map<std::string, T> a type
//   in itself   Box<T> where it would hold itself by value streaming body     BodyReader* in an
//   input (borrowed, never null), std::unique_ptr<BodySource> in an output no input, output
//   wire::Empty
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace laketap::http {
class BodySource;
}

namespace laketap::wire {

class BodyReader;        // wire/wire.h
using http::BodySource;  // What is sent as a body: a file's range. http owns the type.

struct Empty {};  // The input or output of an operation whose model has none.

// An optional value that lives on the heap, for a member whose type holds itself. Copies are deep.
template <class T>
class Box {
 public:
  Box() : value_(nullptr, nullptr) {}
  Box(T value) : value_(made(std::move(value))) {}
  Box(const Box& other) : Box() {
    if (other.value_) value_ = made(*other.value_);
  }
  Box(Box&& other) noexcept = default;
  Box& operator=(Box other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  T& emplace() { return *(value_ = made(T())); }
  const T* get() const { return value_.get(); }
  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

 private:
  // The deleter comes with the value: where a Box is a member, T is not complete yet.
  using Held = std::unique_ptr<T, void (*)(T*)>;
  static Held made(T value) {
    return Held(std::make_unique<T>(std::move(value)).release(),
                [](T* held) { std::unique_ptr<T> last(held); });
  }

  Held value_;
};

// A blob still in base64, as it stands in the request: decoded once, into its last place.
// Ownership: `text` borrows the request's body, or `unescaped` when JSON escapes stood in it; so a
// view lives as long as the call it came with. Thread-safety: as std::string_view.
struct Base64View {
  std::string_view text;
  std::shared_ptr<const std::string> unescaped;

  // Bytes that decode_into() will write. Exact for text that decodes.
  size_t decoded_size() const;

  // Writes decoded_size() bytes to the front of `target`, which must have room for that many.
  // Returns the number written. Errors: invalid - not base64 (RFC 4648 section 4, padded).
  Result<size_t> decode_into(std::span<uint8_t> target) const;
  Result<Bytes> decode() const;
};

}  // namespace laketap::wire
