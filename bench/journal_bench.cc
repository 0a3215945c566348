// The journal by itself, beside what the disk can do: group commit with p50 and p99, and replay.
//
//     journal_bench append --writers 32 --bytes 125000 --seconds 5
//     journal_bench raw    --bytes 1000000 --seconds 5      a write and a sync, nothing else
//     journal_bench replay --gigabytes 2
//
// Prints one JSON line. A writer waits for its answer before it appends again, as a client does.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>

#include "journal/aligned.h"
#include "journal/journal.h"

namespace laketap {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string directory = "/tmp/laketap-journal-bench";
  size_t writers = 32;
  size_t bytes = 125'000;
  double seconds = 5;
  double gigabytes = 2;
  bool is_cold = true;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

void clear(const std::string& directory) {
  io::Files& files = io::real_files();
  const auto names = files.list(directory);
  if (!names) return;
  for (const std::string& name : *names) (void)files.remove(directory + "/" + name);
  (void)files.remove_directory(directory);
}

Bytes noise(size_t bytes) {
  std::mt19937_64 random(1);
  Bytes result(bytes);
  for (uint8_t& byte : result) byte = static_cast<uint8_t>(random());
  return result;
}

std::unique_ptr<journal::Journal> open(const Settings& settings,
                                       const std::function<void(const journal::Replayed&)>& seen) {
  auto opened = journal::Journal::open({.directory = settings.directory}, io::real_files(), seen);
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().what);
    std::exit(1);
  }
  return std::move(*opened);
}

// Writers without threads of their own: an answer is the next append, posted to the one main loop,
// as a server's event loop would.
class Load {
 public:
  Load(journal::Journal& journal, size_t writers, size_t bytes)
      : journal_(journal), payload_(noise(bytes)), piece_(payload_), started_(writers) {}

  void run(double seconds) {
    start_ = Clock::now();
    const double cpu_start = cpu_seconds();
    for (size_t writer = 0; writer < started_.size(); ++writer) ready_.push_back(writer);
    size_t running = started_.size();
    std::vector<size_t> batch;
    while (running > 0) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !ready_.empty(); });
        std::swap(batch, ready_);
      }
      const bool is_over = seconds_since(start_) > seconds;
      for (const size_t writer : batch) {
        if (is_over) {
          --running;
        } else {
          append(writer);
        }
      }
      batch.clear();
    }
    wall_ = seconds_since(start_);
    cpu_ = cpu_seconds() - cpu_start;
  }

  void print(std::string_view what) {
    fmt::print(
        R"({{"what":"{}","appends_per_s":{:.0f},"MB_per_s":{:.0f},"p50_ms":{:.3f},"p99_ms":{:.3f},)"
        R"("cpu_us_per_append":{:.1f},"appends_per_commit":{:.1f},"refused":{}}})"
        "\n",
        what, static_cast<double>(waits_ms_.size()) / wall_,
        static_cast<double>(waits_ms_.size() * payload_.size()) / wall_ / 1e6,
        percentile(waits_ms_, 0.5), percentile(waits_ms_, 0.99),
        cpu_ * 1e6 / static_cast<double>(waits_ms_.size()),
        static_cast<double>(waits_ms_.size()) / static_cast<double>(journal_.synced_commits()),
        refused_);
  }

 private:
  static constexpr uint64_t kGroupBytes = 5 << 20;  // An object, released when the next is full.

  void append(size_t writer) {
    group_bytes_ += payload_.size();
    if (group_bytes_ > kGroupBytes) {
      group_bytes_ = 0;
      if (group_ > 8) (void)journal_.release(group_ - 8);
      ++group_;
    }
    started_[writer] = Clock::now();
    journal_.append(group_, {&piece_, 1}, [this, writer](Result<journal::Location> location) {
      answer(writer, location);
    });
  }

  void answer(size_t writer, const Result<journal::Location>& location) {
    const double wait_ms = seconds_since(started_[writer]) * 1e3;
    const std::scoped_lock lock(mutex_);
    waits_ms_.push_back(wait_ms);
    if (!location) ++refused_;
    ready_.push_back(writer);
    if (ready_.size() == 1) wake_.notify_one();
  }

  journal::Journal& journal_;
  Bytes payload_;
  ByteView piece_;
  std::vector<Clock::time_point> started_;
  Clock::time_point start_;
  uint64_t group_ = 1;
  uint64_t group_bytes_ = 0;
  double wall_ = 0;
  double cpu_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<size_t> ready_;
  std::vector<double> waits_ms_;
  size_t refused_ = 0;
};

void bench_append(const Settings& settings) {
  clear(settings.directory);
  const auto journal = open(settings, [](const journal::Replayed&) {});
  Load load(*journal, settings.writers, settings.bytes);
  load.run(settings.seconds);
  load.print("append");
}

// What a commit of this size costs at the least: over and over into a file of zeroes.
void bench_raw(const Settings& settings) {
  clear(settings.directory);
  io::Files& files = io::real_files();
  (void)files.make_directories(settings.directory);
  const auto file = files.open(
      settings.directory + "/raw",
      {.write = true, .create = true, .exclusive = false, .truncate = true, .direct = true});
  const size_t bytes = (settings.bytes + 4095) / 4096 * 4096;
  const journal::AlignedBuffer buffer(bytes);
  constexpr uint64_t kFileBytes = 64 << 20;
  const uint64_t places = kFileBytes / bytes;
  for (uint64_t i = 0; i < places; ++i) (void)(*file)->write(i * bytes, buffer.span());
  (void)(*file)->sync();

  std::vector<double> waits_ms;
  const auto start = Clock::now();
  for (uint64_t i = 0; seconds_since(start) < settings.seconds; ++i) {
    const auto began = Clock::now();
    if (!(*file)->write(i % places * bytes, buffer.span()) || !(*file)->sync()) std::exit(1);
    waits_ms.push_back(seconds_since(began) * 1e3);
  }
  fmt::print(R"({{"what":"raw","commits_per_s":{:.0f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})"
             "\n",
             static_cast<double>(waits_ms.size()) / seconds_since(start), percentile(waits_ms, 0.5),
             percentile(waits_ms, 0.99));
}

void drop_from_page_cache(const std::string& directory) {
  const auto names = io::real_files().list(directory);
  for (const std::string& name : *names) {
    const auto file = io::real_files().open(directory + "/" + name, {});
    if (file) ::posix_fadvise((*file)->descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

void bench_replay(const Settings& settings) {
  clear(settings.directory);
  uint64_t written = 0;
  {
    const auto journal = open(settings, [](const journal::Replayed&) {});
    const Bytes payload = noise(settings.bytes);
    const ByteView piece(payload);
    const auto count =
        static_cast<size_t>(settings.gigabytes * 1e9 / static_cast<double>(payload.size()));
    std::mutex mutex;
    std::condition_variable wake;
    size_t waiting = 0;
    for (size_t i = 0; i < count; ++i) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return waiting < settings.writers; });
      ++waiting;
      lock.unlock();
      journal->append(i / 40 + 1, {&piece, 1}, [&](Result<journal::Location> location) {
        const std::scoped_lock inner(mutex);
        --waiting;
        if (location) written += location->bytes;
        wake.notify_one();
      });
    }
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return waiting == 0; });
  }
  for (const bool is_cold : {true, false}) {
    if (is_cold) drop_from_page_cache(settings.directory);
    uint64_t bytes = 0;
    const auto start = Clock::now();
    const double cpu_start = cpu_seconds();
    const auto journal =
        open(settings, [&bytes](const journal::Replayed& one) { bytes += one.payload.size(); });
    const double wall = seconds_since(start);
    fmt::print(
        R"({{"what":"replay","cold":{},"GB":{:.2f},"GB_per_s":{:.2f},"cpu_s":{:.2f},"whole":{}}})"
        "\n",
        is_cold, static_cast<double>(bytes) / 1e9, static_cast<double>(bytes) / 1e9 / wall,
        cpu_seconds() - cpu_start, bytes == written);
  }
}

}  // namespace
}  // namespace laketap

int main(int count, char** arguments) {
  using namespace laketap;
  Settings settings;
  CLI::App app("The journal by itself");
  app.require_subcommand(1);
  app.add_option("--directory", settings.directory, "emptied before and after")
      ->capture_default_str();
  app.add_option("--writers", settings.writers)->capture_default_str();
  app.add_option("--bytes", settings.bytes)->capture_default_str();
  app.add_option("--seconds", settings.seconds)->capture_default_str();
  app.add_option("--gigabytes", settings.gigabytes)->capture_default_str();
  app.add_subcommand("append")->fallthrough()->callback([&] { bench_append(settings); });
  app.add_subcommand("raw")->fallthrough()->callback([&] { bench_raw(settings); });
  app.add_subcommand("replay")->fallthrough()->callback([&] { bench_replay(settings); });
  CLI11_PARSE(app, count, arguments);
  clear(settings.directory);
}
