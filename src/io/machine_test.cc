// Clocks, randomness, the folder's lock and child processes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "io/clock.h"
#include "io/lock.h"
#include "io/process.h"
#include "io/random.h"
#include "io/sim.h"

namespace laketap::io {
namespace {

TEST(ClockTest, TheSimulatedClockJumpsWithoutItsMonotonicTwin) {
  sim::Clock clock;
  const auto now = clock.now();
  clock.advance(std::chrono::seconds(2));
  clock.jump(std::chrono::seconds(-5));
  EXPECT_EQ(clock.now(), now - std::chrono::seconds(3));
  EXPECT_EQ(clock.monotonic(), std::chrono::seconds(2));
}

TEST(ClockTest, TheMachinesClockIsInThisCentury) {
  EXPECT_GT(real_clock().now(), from_civil(2026, 1, 1));
  const auto first = real_clock().monotonic();
  EXPECT_LE(first, real_clock().monotonic());
}

TEST(RandomTest, TheSimulatedOneReplaysAndTheMachinesDoesNot) {
  sim::Random first(5);
  sim::Random second(5);
  EXPECT_EQ(first.next(), second.next());
  EXPECT_EQ(first.text(50), second.text(50));
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(real_random().next());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(RandomTest, BelowIsEvenAndTextsHaveTheirForm) {
  sim::Random random(1);
  std::array<int, 3> counts{};
  for (int i = 0; i < 3000; ++i) ++counts[random.below(3)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);
  const std::string id = uuid_v4(real_random());
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_EQ(random_text(random, 4, "a"), "aaaa");
}

TEST(FolderLockTest, ASecondLockIsRefusedByNameUntilTheFirstIsGone) {
  char name[] = "/tmp/laketap-lock-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  const std::string folder = std::string(name) + "/data";
  {
    const auto held = FolderLock::acquire(folder);
    ASSERT_TRUE(held);
    const auto second = FolderLock::acquire(folder);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_NE(second.error().what.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(FolderLock::acquire(folder));
  ASSERT_TRUE(real_files().remove(folder + "/lock"));
  ASSERT_TRUE(real_files().remove_directory(folder));
  ASSERT_TRUE(real_files().remove_directory(name));
}

TEST(ProcessTest, TheExitStatusAndTheSignalAreTold) {
  auto process = Process::spawn({"/bin/sh", {"-c", "exit 7"}, {}, {}});
  ASSERT_TRUE(process);
  EXPECT_EQ((*process)->wait(std::chrono::seconds(20)), 7);
  EXPECT_EQ((*process)->wait(std::chrono::seconds(0)), 7);
  auto sleeper = Process::spawn({"/bin/sleep", {"100"}, {}, {}});
  ASSERT_TRUE(sleeper);
  EXPECT_FALSE((*sleeper)->wait(std::chrono::milliseconds(10)));
  (*sleeper)->kill();
  EXPECT_EQ((*sleeper)->wait(std::chrono::seconds(20)), -9);
  EXPECT_FALSE(Process::spawn({"/no/such/program", {}, {}, {}}));
}

TEST(ProcessTest, TheChildHasTheGivenEnvironmentAndDescriptorsOnly) {
  auto pair = socket_pair();
  ASSERT_TRUE(pair);
  const Descriptor secret(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const std::string script = "echo \"$A$HOME\" >&5; ls /proc/self/fd | wc -l >&5";
  auto process = Process::spawn({"/bin/sh", {"-c", script}, {{pair->second.get(), 5}}, {"A=1"}});
  ASSERT_TRUE(process);
  ASSERT_TRUE((*process)->wait(std::chrono::seconds(20)));
  pair->second.reset();
  std::string said(4, ' ');
  std::vector<Descriptor> descriptors;
  ASSERT_TRUE(
      receive_all(pair->first.get(), {reinterpret_cast<uint8_t*>(said.data()), 4}, descriptors));
  EXPECT_EQ(said, "1\n5\n");  // 0, 1, 2, 5 and the one that ls reads the folder with.
}

TEST(ProcessTest, DescriptorsTravelWithTheBytes) {
  auto pair = socket_pair();
  ASSERT_TRUE(pair);
  const Descriptor zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const int number = zero.get();
  ASSERT_TRUE(send_all(pair->first.get(), view("hello"), {&number, 1}));
  Bytes target(5);
  std::vector<Descriptor> got;
  ASSERT_TRUE(receive_all(pair->second.get(), target, got));
  EXPECT_EQ(text(target), "hello");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_NE(got[0].get(), number);
  char byte = 'x';
  EXPECT_EQ(::read(got[0].get(), &byte, 1), 1);
  EXPECT_EQ(byte, '\0');

  pair->first.reset();
  EXPECT_EQ(receive_all(pair->second.get(), target, got).error().kind, ErrorKind::cancelled);
  EXPECT_EQ(send_all(pair->second.get(), view("x")).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace laketap::io
