#include "engine/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <map>

namespace laketap::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kSocketInChild = 3;
constexpr milliseconds kStartMax{20'000};  // Loading the library on a busy machine.
constexpr milliseconds kCancelGrace{
    500};                               // Then the worker is killed: a stop takes a second at most.
constexpr int kStalledSecondsMax = 30;  // Within a message.
constexpr size_t kDescriptorsAMessage = 200;

// A stop that poll() can wait for.
class StopSignal {
 public:
  explicit StopSignal(std::stop_token stop)
      : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(std::move(stop), [this] {
          const uint64_t one = 1;
          (void)!write(event_.get(), &one, sizeof one);
        }) {}
  int descriptor() const { return event_.get(); }

 private:
  io::Descriptor event_;
  std::stop_callback<std::function<void()>> callback_;
};

enum class Waited { message, stopped, late };

Waited wait_for(int socket, int stop, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return Waited::late;
    pollfd watched[] = {{socket, POLLIN, 0}, {stop, POLLIN, 0}};
    const int ready =
        poll(watched, stop >= 0 ? 2 : 1, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    if (ready <= 0) continue;  // Interrupted, or a slice of a long wait is over.
    if (watched[0].revents != 0) return Waited::message;
    return Waited::stopped;
  }
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const WorkerOptions& options,
                                            const std::string& spill_folder, size_t number) {
  auto pair = io::socket_pair();
  if (!pair) return fail(ErrorKind::unavailable, "GENERIC_INTERNAL_ERROR: " + pair.error().what);
  const timeval stalled{kStalledSecondsMax, 0};
  setsockopt(pair->first.get(), SOL_SOCKET, SO_RCVTIMEO, &stalled, sizeof stalled);
  setsockopt(pair->first.get(), SOL_SOCKET, SO_SNDTIMEO, &stalled, sizeof stalled);

  io::SpawnOptions spawn;
  spawn.executable = options.executable.empty() ? io::own_executable() : options.executable;
  spawn.arguments = {"worker", std::to_string(kSocketInChild)};
  spawn.descriptors = {{pair->second.get(), kSocketInChild}};
  auto process = io::Process::spawn(spawn);
  if (!process)
    return fail(ErrorKind::unavailable, "GENERIC_INTERNAL_ERROR: " + process.error().what);
  pair->second.reset();  // So that its end is seen when it dies.

  auto child = std::unique_ptr<Child>(new Child);
  child->socket_ = std::move(pair->first);
  child->process_ = std::move(*process);
  child->number_ = number;
  WorkerSetup setup{options.library,          spill_folder,         options.readable_folders,
                    options.threads,          options.memory_bytes, options.spill_bytes,
                    options.allow_unsandboxed};
  const Result<> sent = send_message(child->socket_.get(), MessageKind::hello, encode(setup));
  if (!sent) return fail(child->died());
  if (wait_for(child->socket_.get(), -1, steady_clock::now() + kStartMax) != Waited::message)
    return fail(ErrorKind::unavailable, "GENERIC_INTERNAL_ERROR: the worker does not start");
  const auto answer = receive_message(child->socket_.get());
  if (!answer) return fail(child->died());
  if (answer->kind == MessageKind::ready) return child;
  const auto why = decode_error(answer->body);
  return fail(
      ErrorKind::unavailable,
      "GENERIC_INTERNAL_ERROR: " + (why ? why->what : std::string("the worker did not say ready")));
}

Error Child::died() {
  usable_ = false;
  const auto status = process_->wait(milliseconds(200));
  if (status == kOutOfMemoryStatus)
    return {ErrorKind::full,
            "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded the memory of a worker "
            "(--worker-memory-mib)"};
  std::string how = "stopped answering";
  if (status && *status < 0)
    how = fmt::format("was ended by signal {}", -*status);
  else if (status)
    how = fmt::format("ended with status {}", *status);
  return {ErrorKind::unavailable,
          fmt::format("GENERIC_INTERNAL_ERROR: The worker process that ran the query {}", how)};
}

// Each descriptor travels once, whatever the number of parts that lie in it.
Result<> Child::send_query(const Statement& statement) {
  Statement numbered = statement;
  std::vector<int> descriptors;
  std::map<int, int> numbers;
  for (Scan& scan : numbered.scans) {
    for (ScanFile& file : scan.files) {
      for (auto& part : file.parts) {
        const auto [place, fresh] =
            numbers.emplace(part.descriptor, static_cast<int>(descriptors.size()));
        if (fresh) descriptors.push_back(part.descriptor);
        part.descriptor = place->second;
      }
    }
  }
  for (size_t first = 0; first < descriptors.size(); first += kDescriptorsAMessage) {
    const std::span<const int> some =
        std::span(descriptors)
            .subspan(first, std::min(kDescriptorsAMessage, descriptors.size() - first));
    const Result<> sent = send_message(socket_.get(), MessageKind::descriptors, {}, some);
    if (!sent) return sent;
  }
  const Bytes body = encode(numbered);
  if (body.size() > kMessageBytesMax)
    return fail(ErrorKind::too_large, "GENERIC_INTERNAL_ERROR: the table has too many files");
  return send_message(socket_.get(), MessageKind::query, body);
}

Result<Outcome> Child::run(const Statement& statement, const std::function<bool(RowBatch)>& rows,
                           std::stop_token stop) {
  const StopSignal signal(stop);
  const Result<> sent = send_query(statement);
  if (!sent) {
    if (sent.error().kind == ErrorKind::too_large) return fail(sent.error());
    return fail(died());
  }
  std::optional<Error> ending;  // Why we asked it to end.
  auto until = steady_clock::now() + statement.time_max;
  const auto end_with = [&](Error why) {
    ending = std::move(why);
    until = steady_clock::now() + kCancelGrace;
    (void)send_message(socket_.get(), MessageKind::cancel, {});
  };
  for (;;) {
    const Waited waited = wait_for(socket_.get(), ending ? -1 : signal.descriptor(), until);
    if (waited == Waited::stopped) {
      end_with({ErrorKind::cancelled, "stopped"});
      continue;
    }
    if (waited == Waited::late) {
      if (ending) {
        usable_ = false;
        process_->kill();
        return fail(*ending);
      }
      end_with(
          {ErrorKind::full,
           fmt::format("EXCEEDED_TIME_LIMIT: Query exceeded the maximum run time limit of {:.2f}m",
                       static_cast<double>(statement.time_max.count()) / 60'000)});
      continue;
    }
    const auto message = receive_message(socket_.get());
    if (!message) {
      const Error error = died();
      return fail(ending.value_or(error));
    }
    if (message->kind == MessageKind::rows) {
      auto batch = decode_rows(message->body);
      if (!batch) {
        usable_ = false;
        return fail(batch.error());
      }
      if (!ending && !rows(std::move(*batch)))
        end_with({ErrorKind::cancelled, "the rows are not wanted any more"});
      continue;
    }
    if (ending) return fail(*ending);
    if (message->kind == MessageKind::done) {
      auto outcome = decode_outcome(message->body);
      if (!outcome) usable_ = false;
      return outcome;
    }
    usable_ = message->kind == MessageKind::failed;
    const auto error = decode_error(message->body);
    return fail(error ? *error : error.error());
  }
}

Result<Refusals> Child::self_test(const std::vector<std::string>& secrets) {
  const Result<> sent = send_message(socket_.get(), MessageKind::self_test, encode(secrets));
  if (!sent) return fail(died());
  const auto answer = receive_message(socket_.get());
  if (!answer) return fail(died());
  return decode_refusals(answer->body);
}

}  // namespace laketap::engine
