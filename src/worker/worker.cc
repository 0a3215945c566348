#include "worker/worker.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <thread>

#include "engine/protocol.h"
#include "worker/duck.h"
#include "worker/refusals.h"
#include "worker/sandbox.h"
#include "worker/session.h"

namespace laketap::worker {

using engine::MessageKind;

namespace {

// Without destructors: DuckDB's pool may still run, and there is nothing to save.
[[noreturn]] void leave(int status) {
  std::_Exit(status);
}

// DuckDB's threads do not catch everywhere: an allocation that fails there ends the process.
[[noreturn]] void on_terminate() {
  try {
    if (const std::exception_ptr last = std::current_exception()) std::rethrow_exception(last);
  } catch (const std::bad_alloc&) {
    leave(engine::kOutOfMemoryStatus);
  } catch (...) {
  }
  std::abort();
}

void refuse(int socket, const Error& error) {
  (void)engine::send_message(socket, MessageKind::failed, engine::encode(error));
}

Result<std::unique_ptr<Session>> start(const engine::WorkerSetup& setup) {
  const auto duck = load_duck(setup.library);  // Not any more once the doors are closed.
  if (!duck) return fail(duck.error());
  const Result<> closed =
      close_sandbox({setup.readable_folders, setup.spill_folder, setup.memory_bytes});
  if (!closed && !setup.allow_unsandboxed)
    return fail(ErrorKind::unsupported,
                closed.error().what + "; queries need it, or --allow-unsandboxed-worker");

  SessionOptions options;
  options.library = setup.library;
  options.spill_folder = setup.spill_folder;
  options.threads = setup.threads;
  options.memory_bytes = setup.memory_bytes;
  options.spill_bytes = setup.spill_bytes;
  return Session::open(options);
}

// The descriptors that came for one query, and the thread that runs it.
class Query {
 public:
  Query(int socket, Session& session, engine::Statement statement,
        std::vector<io::Descriptor> descriptors)
      : socket_(socket),
        session_(session),
        statement_(std::move(statement)),
        descriptors_(std::move(descriptors)),
        thread_([this] { run(); }) {}

 private:
  void run() {
    for (engine::Scan& scan : statement_.scans) {
      for (engine::ScanFile& file : scan.files) {
        for (auto& part : file.parts) {
          const auto number = static_cast<size_t>(part.descriptor);
          if (part.descriptor < 0 || number >= descriptors_.size())
            return refuse(
                socket_, {ErrorKind::corrupt, "GENERIC_INTERNAL_ERROR: a descriptor did not come"});
          part.descriptor = descriptors_[number].get();
        }
      }
    }
    const auto outcome = session_.run(std::move(statement_), [this](engine::RowBatch rows) {
      return engine::send_message(socket_, MessageKind::rows, engine::encode(rows)).has_value();
    });
    descriptors_.clear();
    if (!outcome) return refuse(socket_, outcome.error());
    (void)engine::send_message(socket_, MessageKind::done, engine::encode(*outcome));
  }

  int socket_;
  Session& session_;
  engine::Statement statement_;
  std::vector<io::Descriptor> descriptors_;
  std::jthread thread_;
};

}  // namespace

int run(int socket) {
  std::set_terminate(on_terminate);
  prctl(PR_SET_NAME, "laketap-worker");
  auto hello = engine::receive_message(socket);
  if (!hello || hello->kind != MessageKind::hello) return 2;
  auto setup = engine::decode_setup(hello->body);
  if (!setup) return 2;
  setup->library = find_library(setup->library);
  auto session = start(*setup);
  if (!session) {
    refuse(socket, session.error());
    leave(1);
  }
  if (!engine::send_message(socket, MessageKind::ready, {})) leave(1);

  std::unique_ptr<Query> query;
  std::vector<io::Descriptor> descriptors;
  for (;;) {
    auto message = engine::receive_message(socket);
    if (!message)
      leave(message.error().kind == ErrorKind::cancelled ? 0 : 1);  // Whatever still runs.
    for (io::Descriptor& descriptor : message->descriptors)
      descriptors.push_back(std::move(descriptor));
    switch (message->kind) {
      case MessageKind::descriptors: break;
      case MessageKind::cancel: (*session)->interrupt(); break;
      case MessageKind::query: {
        query.reset();  // The last one has answered, or the server would not ask.
        auto statement = engine::decode_statement(message->body);
        if (!statement) leave(2);
        query = std::make_unique<Query>(socket, **session, std::move(*statement),
                                        std::exchange(descriptors, {}));
        break;
      }
      case MessageKind::self_test: {
        query.reset();
        const auto secrets = engine::decode_texts(message->body);
        if (!secrets) leave(2);
        (void)engine::send_message(socket, MessageKind::refusals,
                                   engine::encode(try_what_is_closed(**session, *setup, *secrets)));
        break;
      }
      default: leave(2);
    }
  }
}

}  // namespace laketap::worker
