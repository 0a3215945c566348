// The pool of worker processes. Decides who runs where; a process's conversation is in child.cc.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "engine/child.h"
#include "engine/engine.h"
#include "io/files.h"

namespace laketap::engine {

struct WorkerEngine::Core {
  WorkerOptions options;
  mutable std::mutex mutex;
  std::condition_variable_any freed;
  std::vector<std::unique_ptr<Child>> idle;
  std::vector<const Child*> busy;
  std::vector<size_t> free_numbers;  // Of spill folders.
  size_t running = 0;
  bool prepared = false;

  Result<> prepare_spill();
  Result<std::unique_ptr<Child>> take(std::stop_token stop);
  void give_back(std::unique_ptr<Child> child);
};

namespace {

// Removes the files of a folder that was a worker's.
void empty_folder(const std::string& folder) {
  io::Files& files = io::real_files();
  const auto names = files.list(folder);
  if (!names) return;
  for (const std::string& name : *names) (void)files.remove(folder + "/" + name);
}

}  // namespace

// What a crash left behind goes; folders are made before landlock names them.
Result<> WorkerEngine::Core::prepare_spill() {
  if (prepared) return {};
  for (size_t number = 0; number < options.workers_max; ++number) {
    const std::string folder = options.spill_folder + "/worker-" + std::to_string(number);
    const Result<> made = io::real_files().make_directories(folder);
    if (!made)
      return fail(ErrorKind::unavailable,
                  "GENERIC_INTERNAL_ERROR: the spill folder: " + made.error().what);
    empty_folder(folder);
    free_numbers.push_back(number);
  }
  prepared = true;
  return {};
}

Result<std::unique_ptr<Child>> WorkerEngine::Core::take(std::stop_token stop) {
  std::unique_lock lock(mutex);
  if (!freed.wait(lock, stop, [&] { return running < options.workers_max; }))
    return fail(ErrorKind::cancelled, "stopped while waiting for a worker");
  const Result<> spill = prepare_spill();
  if (!spill) return fail(spill.error());
  while (!idle.empty()) {
    std::unique_ptr<Child> child = std::move(idle.back());
    idle.pop_back();
    if (child->is_alive()) {
      ++running;
      busy.push_back(child.get());
      return child;
    }
    free_numbers.push_back(child->number());
  }
  const size_t number = free_numbers.back();
  free_numbers.pop_back();
  ++running;
  lock.unlock();

  const std::string folder = options.spill_folder + "/worker-" + std::to_string(number);
  empty_folder(folder);
  auto child = Child::start(options, folder, number);
  lock.lock();
  if (child) {
    busy.push_back(child->get());
    return child;
  }
  --running;
  free_numbers.push_back(number);
  freed.notify_one();
  return child;
}

void WorkerEngine::Core::give_back(std::unique_ptr<Child> child) {
  const bool usable = child->is_usable();
  const size_t number = child->number();
  {
    const std::lock_guard lock(mutex);
    std::erase(busy, child.get());
  }
  if (!usable) child.reset();  // Kills and waits, outside of the lock.
  const std::lock_guard lock(mutex);
  if (child)
    idle.push_back(std::move(child));
  else
    free_numbers.push_back(number);
  --running;
  freed.notify_one();
}

WorkerEngine::WorkerEngine(WorkerOptions options) : core_(std::make_unique<Core>()) {
  core_->options = std::move(options);
  core_->options.workers_max = std::max<size_t>(core_->options.workers_max, 1);
}

WorkerEngine::~WorkerEngine() = default;

Result<Outcome> WorkerEngine::run(const Statement& statement,
                                  const std::function<bool(RowBatch)>& rows, std::stop_token stop) {
  auto child = core_->take(stop);
  if (!child) return fail(child.error());
  auto outcome = (*child)->run(statement, rows, stop);
  core_->give_back(std::move(*child));
  return outcome;
}

Result<Refusals> WorkerEngine::self_test(const std::vector<std::string>& secrets) {
  auto child = core_->take({});
  if (!child) return fail(child.error());
  auto refusals = (*child)->self_test(secrets);
  core_->give_back(std::move(*child));
  return refusals;
}

std::vector<int> WorkerEngine::worker_ids() const {
  const std::lock_guard lock(core_->mutex);
  std::vector<int> ids;
  for (const auto& child : core_->idle) ids.push_back(child->process_id());
  for (const Child* child : core_->busy) ids.push_back(child->process_id());
  return ids;
}

}  // namespace laketap::engine
