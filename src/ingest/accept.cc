// ingest/accept.cc - a put: find the stream, hand the records over, wait for the disk.
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

#include "ingest/core.h"

namespace laketap::ingest {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kHexDigits = "0123456789abcdef";

// `digits` characters of the low bits of `value`.
void put_hex(char* target, uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value >>= 4) target[i] = kHexDigits[value & 15];
}

// The journal answers on its own thread; the coroutine goes on where it was.
Task<Result<>> append(delivery::Delivery& delivery, delivery::Buffer& buffer, Draft draft) {
  const auto executor =
      asio::prefer(co_await asio::this_coro::executor, asio::execution::outstanding_work.tracked);
  auto initiate = [&](auto handler) {
    auto done = [executor, handler = std::move(handler)](Result<> result) mutable {
      asio::post(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      });
    };
    delivery.append(buffer, std::move(draft), std::move(done));
  };
  Result<> kept = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<>)>(
      initiate, asio::use_awaitable);
  co_return kept;
}

}  // namespace

std::string Receipt::record_id(size_t index) const {
  std::string id(stem.size() + 4, '0');
  std::ranges::copy(stem, id.begin());
  put_hex(id.data() + stem.size(), index, 4);
  return id;
}

Receipt Streams::Core::make_receipt(bool encrypted) {
  constexpr int kNonceDigits = 16, kCounterDigits = 12;
  Receipt receipt;
  receipt.encrypted = encrypted;
  put_hex(receipt.stem.data(), receipt_nonce, kNonceDigits);
  put_hex(receipt.stem.data() + kNonceDigits,
          receipt_counter.fetch_add(1, std::memory_order_relaxed), kCounterDigits);
  return receipt;
}

Result<Entrance> Streams::Core::entrance(std::string_view name) const {
  const std::shared_lock lock(mutex);
  const auto found = streams.find(name);
  if (found == streams.end() || found->second->definition.status == Status::deleting)
    return fail(ErrorKind::not_found, "no such stream");
  return Entrance{found->second->buffer, found->second->definition.encryption.enabled};
}

Task<Result<Receipt>> Streams::accept(std::string_view name, Draft draft) {
  const Result<Entrance> entrance = core_->entrance(name);
  if (!entrance) co_return fail(entrance.error());
  const Result<> kept = co_await append(core_->parts.delivery, *entrance->buffer, std::move(draft));
  if (!kept) co_return fail(kept.error());
  co_return core_->make_receipt(entrance->encrypted);
}

}  // namespace laketap::ingest
