#include "wire/pool.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace laketap::wire {

namespace asio = boost::asio;

Pool::Pool(size_t threads, size_t queued_max)
    : threads_(threads), queued_max_(queued_max), pool_(threads == 0 ? 1 : threads) {}

Pool::~Pool() {
  pool_.join();
}

Task<bool> Pool::run(std::function<void()> work) {
  if (threads_ == 0) {
    work();
    co_return true;
  }
  if (queued_.fetch_add(1) >= queued_max_) {
    queued_.fetch_sub(1);
    co_return false;
  }
  // The caller's executor counts what is outstanding, so that it does not stop while we work.
  auto start = [this, &work](auto done) {
    auto caller = asio::prefer(asio::get_associated_executor(done),
                               asio::execution::outstanding_work.tracked);
    asio::post(pool_, [this, work = std::move(work), caller, done = std::move(done)]() mutable {
      queued_.fetch_sub(1);
      work();
      asio::post(caller, std::move(done));
    });
  };
  Task<> finished = asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      std::move(start), asio::use_awaitable);
  co_await std::move(finished);
  co_return true;
}

}  // namespace laketap::wire
