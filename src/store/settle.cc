#include "store/settle.h"

#include "store/local.h"

namespace laketap::store {
namespace {

constexpr size_t kVersionsMax = 1000;

struct Place {
  std::string state_key;
  Row row;
};

// The row whose file is to go from the readable path, and the one whose file belongs there.
struct Plan {
  std::optional<Place> leaves, comes;
};

Result<Plan> make_plan(state::Transaction& transaction, const std::string& bucket,
                       const std::string& key, const std::string& readable) {
  Plan plan;
  const auto entry = transaction.get(object_key(bucket, key));
  if (!entry) return fail(entry.error());
  if (!*entry) return plan;
  Result<Row> current = read_row((*entry)->value);
  if (!current) return fail(current.error());
  if (current->info.path == readable) return plan;
  if (current->older) {
    const std::string prefix = versions_prefix(bucket, key);
    const auto entries = transaction.scan(prefix, state::prefix_end(prefix), kVersionsMax);
    if (!entries) return fail(entries.error());
    for (const state::Entry& one : *entries) {
      Result<Row> row = read_row(one.value);
      if (!row) return fail(row.error());
      if (row->info.path == readable) plan.leaves = Place{one.key, std::move(*row)};
    }
  }
  if (!current->info.delete_marker) plan.comes = Place{(*entry)->key, std::move(*current)};
  return plan;
}

}  // namespace

// The file gets a second name, the row learns of it, the first name goes. A crash in between leaves
// a name that no row knows: an orphan.
void Local::move(const std::string& bucket, const std::string& key, const std::string& state_key,
                 const Row& row, const std::string& to) {
  if (!folders_.place(directory_ + "/" + row.info.path, to)) return;
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const auto entry = transaction.get(state_key);
        if (!entry) return fail(entry.error());
        Result<Row> now = *entry ? read_row((*entry)->value)
                                 : Result<Row>(fail(ErrorKind::not_found, "the version went"));
        if (!now) return fail(now.error());
        if (now->info.path != row.info.path || now->info.etag != row.info.etag)
          return fail(ErrorKind::not_found, "another version took its place");
        now->info.path = to;
        transaction.put(state_key, write_row(*now));
        if (is_identified(row.info.path)) transaction.erase(identified_key(id_in(row.info.path)));
        if (is_identified(to)) transaction.put(identified_key(id_in(to)), bucket + "/" + key);
        return {};
      });
  // After a failed disk both names stay: the next start sees which one has the row.
  if (!done && done.error().kind == ErrorKind::unavailable) return;
  doom({done ? row.info.path : to});
}

void Local::settle(const std::string& bucket, const std::string& key) {
  const std::optional<std::string> readable = readable_path(bucket, key);
  if (!readable) return;
  const std::shared_lock lock(changing_);
  Result<Plan> plan = Plan();
  {
    const auto transaction = database_.begin();
    if (!transaction) return;
    plan = make_plan(**transaction, bucket, key, *readable);
  }
  if (!plan) return;
  if (plan->leaves)
    move(bucket, key, plan->leaves->state_key, plan->leaves->row,
         identified_path(bucket, new_id(random_)));
  if (plan->comes) move(bucket, key, plan->comes->state_key, plan->comes->row, *readable);
}

void Settler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Settler::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Settler::add(const std::string& bucket, const std::string& key) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= kWaitingMax) return;
    waiting_.emplace(bucket, key);
  }
  arrived_.notify_one();
}

void Settler::run(const std::stop_token& stop) {
  while (true) {
    std::pair<std::string, std::string> next;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      if (stop.stop_requested()) return;
      next = waiting_.extract(waiting_.begin()).value();
    }
    store_.settle(next.first, next.second);
  }
}

}  // namespace laketap::store
