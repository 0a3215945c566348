#include "wire/base64.h"

#include <libbase64.h>

#include "base/assert.h"

namespace laketap::wire {

size_t Base64View::decoded_size() const {
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - (text.size() >= 4 ? padding : 0);
}

Result<size_t> Base64View::decode_into(std::span<uint8_t> target) const {
  const size_t size = decoded_size();
  ASSERT(target.size() >= size);
  // The decoder writes whole groups of three: what is padded, and what is wrong, goes to a place of
  // our own.
  if (text.size() % 4 != 0) return fail(ErrorKind::invalid, kBadBase64);
  if (text.empty()) return 0;
  size_t written = 0;
  const size_t whole = text.size() - 4;  // All groups but the last, which alone may be padded.
  if (whole > 0 &&
      base64_decode(text.data(), whole, reinterpret_cast<char*>(target.data()), &written, 0) != 1)
    return fail(ErrorKind::invalid, kBadBase64);
  char last[4];
  size_t last_size = 0;
  if (base64_decode(text.data() + whole, 4, last, &last_size, 0) != 1 ||
      written + last_size != size)
    return fail(ErrorKind::invalid, kBadBase64);
  std::memcpy(target.data() + written, last, last_size);
  return size;
}

Result<Bytes> Base64View::decode() const {
  Bytes bytes(decoded_size());
  const Result<size_t> written = decode_into(bytes);
  if (!written) return fail(written.error());
  return bytes;
}

void write_base64(ByteView bytes, std::string& out) {
  const size_t before = out.size();
  out.resize(before + (bytes.size() + 2) / 3 * 4);
  size_t written = 0;
  base64_encode(reinterpret_cast<const char*>(bytes.data()), bytes.size(), out.data() + before,
                &written, 0);
  out.resize(before + written);
}

}  // namespace laketap::wire
