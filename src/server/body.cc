#include "server/body.h"

#include <algorithm>
#include <cstring>

#include "server/server.h"

namespace laketap::server {
namespace {

constexpr size_t kChunkLineBytesMax = 256;  // Size and extensions.
constexpr size_t kTrailerBytesMax = 4 << 10;
constexpr size_t kPooledBytes = 256 << 10;  // A batch of 500 records of 250 bytes fits.
constexpr size_t kPooledMax = 16;
constexpr size_t kSmallBytes = 16 << 10;  // A single record, a list request.

// Buffers of kPooledBytes that wait for their next body; one list a thread, so nothing locks.
thread_local std::vector<std::unique_ptr<char[]>> pool;

}  // namespace

bool MemoryShare::grow(uint64_t bytes) {
  if (bytes <= bytes_) return true;
  const uint64_t more = bytes - bytes_;
  if (used_.fetch_add(more) + more > bytes_max_) {
    used_ -= more;
    return false;
  }
  bytes_ = bytes;
  return true;
}

Buffer::Buffer(size_t bytes)
    : capacity_(bytes <= kSmallBytes ? kSmallBytes : std::max(bytes, kPooledBytes)) {
  if (capacity_ == kPooledBytes && !pool.empty()) {
    data_ = std::move(pool.back());
    pool.pop_back();
  } else {
    data_ = std::make_unique_for_overwrite<char[]>(capacity_ + kPadding);
  }
}
Buffer::~Buffer() {
  if (data_ && capacity_ == kPooledBytes && pool.size() < kPooledMax)
    pool.push_back(std::move(data_));
}
void Buffer::grow(size_t bytes, size_t used) {
  if (bytes <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(bytes + kPadding);
  std::memcpy(larger.get(), data_.get(), used);
  data_ = std::move(larger);
  capacity_ = bytes;
}

Task<Result<std::string>> BodyFraming::line(size_t bytes_max) {
  std::string& buffer = socket_.buffer();
  size_t seen = 0;
  while (true) {
    const size_t end = buffer.find('\n', seen);
    if (end != std::string::npos) {
      if (end > bytes_max || end == 0 || buffer[end - 1] != '\r')
        co_return fail(ErrorKind::invalid, "a line of the chunked body");
      std::string made = buffer.substr(0, end - 1);
      buffer.erase(0, end + 1);
      if (made.find('\r') != std::string::npos || made.find('\0') != std::string::npos)
        co_return fail(ErrorKind::invalid, "a line of the chunked body");
      co_return made;
    }
    seen = buffer.size();
    if (seen > bytes_max)
      co_return fail(ErrorKind::invalid, "a line of the chunked body is too long");
    const bool more = co_await socket_.fill();
    if (!more) co_return fail(ErrorKind::cancelled, "the peer left");
  }
}

Task<Result<>> BodyFraming::next_chunk() {
  if (in_chunks_) {
    const Result<std::string> end = co_await line(2);
    if (!end) co_return fail(end.error());
    if (!end->empty()) co_return fail(ErrorKind::invalid, "a chunk longer than its size");
  }
  in_chunks_ = true;
  const Result<std::string> head = co_await line(kChunkLineBytesMax);
  if (!head) co_return fail(head.error());
  const size_t digits = std::min(head->find_first_not_of("0123456789abcdefABCDEF"), head->size());
  if (digits == 0 || digits > 15 || (digits < head->size() && (*head)[digits] != ';'))
    co_return fail(ErrorKind::invalid, "a chunk's size");
  left_ = std::stoull(head->substr(0, digits), nullptr, 16);
  if (left_ > 0) co_return Result<>();
  for (size_t bytes = 0;;) {  // Trailers: read away, bounded.
    const Result<std::string> trailer = co_await line(kTrailerBytesMax);
    if (!trailer) co_return fail(trailer.error());
    if (trailer->empty()) break;
    bytes += trailer->size();
    if (bytes > kTrailerBytesMax) co_return fail(ErrorKind::invalid, "too many trailers");
  }
  ended_ = true;
  co_return Result<>();
}

Task<Result<size_t>> BodyFraming::read(char* target, size_t size) {
  if (left_ == 0 && chunked_ && !ended_) {
    const Result<> begun = co_await next_chunk();
    if (!begun) co_return fail(begun.error());
  }
  if (left_ == 0) co_return size_t{0};
  const size_t got = co_await socket_.read_some(target, std::min<uint64_t>(size, left_));
  if (got == 0) co_return fail(ErrorKind::cancelled, "the peer left");
  left_ -= got;
  co_return got;
}

Task<Result<size_t>> ObjectBody::read(char* target, size_t size) {
  if (!begun_) {
    begun_ = true;
    socket_.allow_while_moving(wait_);
  }
  if (tell_to_continue_) {
    tell_to_continue_ = false;
    const bool alive = co_await socket_.write(kContinue, "");
    if (!alive) co_return fail(ErrorKind::cancelled, "the peer left");
  }
  const Result<size_t> got = co_await framing_.read(target, size);
  if (!got && got.error().kind == ErrorKind::invalid)
    co_return fail(ErrorKind::invalid, "IncompleteBody: The request body terminated unexpectedly");
  if (!got) co_return fail(got.error());
  seen_ += *got;
  if (seen_ > kObjectBytesMax)
    co_return fail(ErrorKind::invalid,
                   "EntityTooLarge: Your proposed upload exceeds the maximum allowed size");
  co_return *got;
}

Task<Result<size_t>> PlainReader::read(std::span<uint8_t> target) {
  auto* bytes = reinterpret_cast<char*>(target.data());
  const Result<size_t> got = co_await body_.read(bytes, target.size());
  if (!got) co_return fail(got.error());
  if (expected_.empty()) co_return *got;
  if (*got > 0) {
    hash_.add(std::string_view(bytes, *got));
    co_return *got;
  }
  if (hash_.hex() != std::exchange(expected_, {}))
    co_return fail(ErrorKind::invalid,
                   "XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not "
                   "match what was computed.");
  co_return size_t{0};
}

}  // namespace laketap::server
