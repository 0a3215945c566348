// One worker process and the conversation with it. Used by one thread at a time.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/protocol.h"
#include "io/process.h"

namespace laketap::engine {

class Child {
 public:
  // Starts it and waits until its sandbox is closed. `number` is for the caller.
  static Result<std::unique_ptr<Child>> start(const WorkerOptions& options,
                                              const std::string& spill_folder, size_t number);

  Result<Outcome> run(const Statement& statement, const std::function<bool(RowBatch)>& rows,
                      std::stop_token stop);
  Result<Refusals> self_test(const std::vector<std::string>& secrets);

  bool is_alive() { return usable_ && !process_->wait(std::chrono::milliseconds(0)); }
  bool is_usable() const { return usable_; }  // It answered, and may be asked again.
  size_t number() const { return number_; }
  int process_id() const { return process_->id(); }

 private:
  Child() = default;
  Result<> send_query(const Statement& statement);
  Error died();

  io::Descriptor socket_;
  std::unique_ptr<io::Process> process_;
  size_t number_ = 0;
  bool usable_ = true;
};

}  // namespace laketap::engine
