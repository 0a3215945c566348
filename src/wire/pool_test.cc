#include "wire/pool.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <semaphore>
#include <thread>

namespace laketap::wire {
namespace {

void spawn(boost::asio::io_context& context, Pool& pool, std::function<void()> work,
           std::optional<bool>& taken) {
  boost::asio::co_spawn(context, pool.run(std::move(work)),
                        [&](std::exception_ptr, bool result) { taken = result; });
}

TEST(PoolTest, WhenTheQueueIsFullWorkIsRefusedAndNotRun) {
  boost::asio::io_context context;
  Pool pool(1, 1);
  std::binary_semaphore started(0), release(0);
  std::optional<bool> first, second, third;
  bool third_ran = false;
  spawn(context, pool, [&] { started.release(), release.acquire(); }, first);
  context.poll();
  started.acquire();
  spawn(context, pool, [] {}, second);  // Waits in the queue,
  spawn(context, pool, [&] { third_ran = true; }, third);
  context.poll();
  EXPECT_EQ(third, false);  // which has room for one.
  EXPECT_FALSE(second);
  release.release();
  context.run();
  EXPECT_EQ(first, true);
  EXPECT_EQ(second, true);
  EXPECT_FALSE(third_ran);
}

TEST(PoolTest, TheCallerGoesOnWhereItWas) {
  boost::asio::io_context context;
  Pool pool(2, 8);
  std::thread::id worker, after;
  boost::asio::co_spawn(context, pool.run([&] { worker = std::this_thread::get_id(); }),
                        [&](std::exception_ptr, bool) { after = std::this_thread::get_id(); });
  context.run();
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_EQ(after, std::this_thread::get_id());
}

}  // namespace
}  // namespace laketap::wire
