// The simulated disk. What a process sees and what would be there after a power cut are kept apart:
// each file has bytes as seen, bytes on the disk and the unsynced changes between the two, and so
// has the tree of names.
#include <algorithm>
#include <map>
#include <set>

#include "base/assert.h"
#include "io/sim.h"

namespace laketap::io::sim {
namespace {

constexpr uint64_t kSectorBytes = 512;  // What a disk writes whole or not at all.

struct Change {  // A write, or a new length where bytes are empty.
  uint64_t offset;
  Bytes bytes;
  bool is_truncate = false;
};

void play(Bytes& content, const Change& change) {
  if (change.is_truncate) {
    content.resize(change.offset);
    return;
  }
  if (content.size() < change.offset + change.bytes.size())
    content.resize(change.offset + change.bytes.size());
  std::ranges::copy(change.bytes, content.begin() + static_cast<ptrdiff_t>(change.offset));
}

struct Inode {
  bool is_directory = false;
  Bytes seen;
  Bytes durable;
  std::vector<Change> unsynced;
};
using InodePointer = std::shared_ptr<Inode>;
using Names = std::map<std::string, InodePointer>;

struct NameChange {  // All of it or nothing: a rename is one.
  std::string directory;
  std::vector<std::pair<std::string, InodePointer>> entries;  // Null: the name goes.
};

void play(Names& names, const NameChange& change) {
  for (const auto& [path, inode] : change.entries) {
    if (inode) {
      names[path] = inode;
    } else {
      names.erase(path);
    }
  }
}

std::string normalized(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Keeps each sector of a write, or not.
void tear(Bytes& content, const Change& change, Random& random) {
  const uint64_t end = change.offset + change.bytes.size();
  for (uint64_t at = change.offset; at < end;) {
    const uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    if (random.chance(50)) {
      const auto from = change.bytes.begin() + static_cast<ptrdiff_t>(at - change.offset);
      play(content, {at, Bytes(from, from + static_cast<ptrdiff_t>(next - at))});
    }
    at = next;
  }
}

}  // namespace

struct Disk::State {
  mutable std::mutex mutex;
  Names seen;
  Names durable;
  std::vector<NameChange> unsynced;
  Faults faults;
  uint64_t operations = 0;
  uint64_t used_bytes = 0;
  uint64_t epoch = 0;  // Handles of older ones are dead.
  bool dead = false;   // Between the moment of the crash and crash().

  // Counts an operation that changes something. True when the power goes within it.
  bool count() {
    ++operations;
    if (!faults.crash_at || operations < *faults.crash_at) return false;
    dead = true;
    return true;
  }

  void clear_faults() {
    const uint64_t capacity_bytes = faults.capacity_bytes;
    faults = Faults{};
    faults.capacity_bytes = capacity_bytes;
  }

  static std::unexpected<Error> power() { return fail(ErrorKind::unavailable, "the power is off"); }

  InodePointer find(const std::string& path) const {
    const auto at = seen.find(path);
    return at == seen.end() ? nullptr : at->second;
  }

  Result<> check_parent(const std::string& path) const {
    const std::string parent = parent_of(path);
    if (parent.empty() || parent == "/") return {};
    const InodePointer inode = find(parent);
    if (!inode || !inode->is_directory) return fail(ErrorKind::not_found, "no folder " + parent);
    return {};
  }

  void change_names(NameChange change) {
    play(seen, change);
    unsynced.push_back(std::move(change));
  }

  // With a change's loss of a name its bytes are free again, unless another name or a handle is
  // left.
  void recount() {
    used_bytes = 0;
    std::set<const Inode*> counted;
    for (const auto& [path, inode] : seen)
      if (counted.insert(inode.get()).second) used_bytes += inode->seen.size();
  }

  Result<> write(Inode& inode, uint64_t offset, ByteView bytes) {
    if (dead) return power();
    bool is_cut = count();
    const bool is_failing = faults.fail_write_at && operations >= *faults.fail_write_at;
    if (is_failing) faults.fail_write_at.reset();

    if (is_cut || is_failing) bytes = bytes.first(bytes.size() / 2);
    const uint64_t size = inode.seen.size();
    const uint64_t free = faults.capacity_bytes - std::min(used_bytes, faults.capacity_bytes);
    const bool is_full = offset + bytes.size() > size + free;
    if (is_full) bytes = bytes.first(size + free > offset ? size + free - offset : 0);
    if (!bytes.empty()) {
      Change change{offset, Bytes(bytes.begin(), bytes.end())};
      play(inode.seen, change);
      inode.unsynced.push_back(std::move(change));
    }
    used_bytes += inode.seen.size() - size;

    if (is_cut) return power();
    if (is_failing) return fail(ErrorKind::unavailable, "simulated write failure");
    if (is_full) return fail(ErrorKind::full, "simulated full disk");
    return {};
  }

  Result<> sync(Inode& inode) {
    if (dead) return power();
    if (count()) return power();  // What had reached the disk by then is drawn in crash().
    if (faults.fail_sync_at && operations >= *faults.fail_sync_at) {
      faults.fail_sync_at.reset();
      inode.unsynced
          .clear();  // As Linux does: the pages count as clean, the disk has not got them.
      return fail(ErrorKind::unavailable, "simulated sync failure");
    }
    if (faults.sync_is_empty) return {};
    for (const Change& change : inode.unsynced) play(inode.durable, change);
    inode.unsynced.clear();
    return {};
  }

  Result<> truncate(Inode& inode, uint64_t bytes) {
    if (dead || count()) return power();
    Change change{bytes, {}, true};
    const uint64_t size = inode.seen.size();
    if (bytes > size &&
        bytes - size > faults.capacity_bytes - std::min(used_bytes, faults.capacity_bytes))
      return fail(ErrorKind::full, "simulated full disk");
    play(inode.seen, change);
    used_bytes = used_bytes - size + bytes;
    inode.unsynced.push_back(std::move(change));
    return {};
  }
};

namespace {

// Defined below State, whose members it uses.
template <class State>
class SimFile : public File {
 public:
  SimFile(std::shared_ptr<State> state, InodePointer inode, OpenOptions options)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        options_(options),
        epoch_(state_->epoch) {}

  Result<size_t> read(uint64_t offset, std::span<uint8_t> target) const override {
    const std::scoped_lock lock(state_->mutex);
    if (is_dead()) return State::power();
    if (!is_aligned(offset, target)) return fail(ErrorKind::invalid, "unaligned direct read");
    const Bytes& seen = inode_->seen;
    if (offset >= seen.size()) return 0;
    const size_t count = std::min<size_t>(target.size(), seen.size() - offset);
    std::copy_n(seen.begin() + static_cast<ptrdiff_t>(offset), count, target.begin());
    return count;
  }

  Result<> write(uint64_t offset, ByteView bytes) override {
    const std::scoped_lock lock(state_->mutex);
    if (is_dead()) return State::power();
    if (!options_.write) return fail(ErrorKind::denied, "opened read-only");
    if (!is_aligned(offset, bytes)) return fail(ErrorKind::invalid, "unaligned direct write");
    return state_->write(*inode_, offset, bytes);
  }

  Result<> sync() override {
    const std::scoped_lock lock(state_->mutex);
    if (is_dead()) return State::power();
    return state_->sync(*inode_);
  }

  Result<uint64_t> size() const override {
    const std::scoped_lock lock(state_->mutex);
    if (is_dead()) return State::power();
    return inode_->seen.size();
  }

  Result<> truncate(uint64_t bytes) override {
    const std::scoped_lock lock(state_->mutex);
    if (is_dead()) return State::power();
    if (!options_.write) return fail(ErrorKind::denied, "opened read-only");
    return state_->truncate(*inode_, bytes);
  }

  int descriptor() const override { return -1; }

 private:
  bool is_dead() const { return state_->dead || epoch_ != state_->epoch; }
  bool is_aligned(uint64_t offset, ByteView memory) const {
    if (!options_.direct) return true;
    const auto address = reinterpret_cast<uintptr_t>(memory.data());
    return (offset | memory.size() | address) % kDirectAlignment == 0;
  }

  std::shared_ptr<State> state_;
  InodePointer inode_;
  OpenOptions options_;
  uint64_t epoch_;
};

}  // namespace

Disk::Disk() : state_(std::make_shared<State>()) {}
Disk::~Disk() = default;

Result<std::unique_ptr<File>> Disk::open(const std::string& path, OpenOptions options) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  InodePointer inode = state_->find(path);
  if (inode && inode->is_directory) return fail(ErrorKind::invalid, path + " is a folder");
  if (inode && options.create && options.exclusive) return fail(ErrorKind::exists, path);
  if (!inode) {
    if (!options.create) return fail(ErrorKind::not_found, path);
    if (const Result<> parent = state_->check_parent(path); !parent) return fail(parent.error());
    if (state_->count()) return State::power();
    inode = std::make_shared<Inode>();
    state_->change_names({parent_of(path), {{path, inode}}});
  } else if (options.truncate && !inode->seen.empty()) {
    if (const Result<> cut = state_->truncate(*inode, 0); !cut) return fail(cut.error());
  }
  return std::make_unique<SimFile<State>>(state_, std::move(inode), options);
}

Result<> Disk::rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const InodePointer inode = state_->find(from);
  if (!inode) return fail(ErrorKind::not_found, from);
  ASSERT(!inode->is_directory);  // Nobody needs it; the names below would have to move along.
  if (const Result<> parent = state_->check_parent(to); !parent) return parent;
  if (state_->count()) return State::power();
  state_->change_names({parent_of(to), {{from, nullptr}, {to, inode}}});
  state_->recount();
  return {};
}

Result<> Disk::link(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const InodePointer inode = state_->find(from);
  if (!inode) return fail(ErrorKind::not_found, from);
  if (state_->find(to)) return fail(ErrorKind::exists, to);
  if (const Result<> parent = state_->check_parent(to); !parent) return parent;
  if (state_->count()) return State::power();
  state_->change_names({parent_of(to), {{to, inode}}});
  return {};
}

Result<> Disk::remove(const std::string& path) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const InodePointer inode = state_->find(path);
  if (!inode) return fail(ErrorKind::not_found, path);
  if (inode->is_directory) return fail(ErrorKind::invalid, path + " is a folder");
  if (state_->count()) return State::power();
  state_->change_names({parent_of(path), {{path, nullptr}}});
  state_->recount();
  return {};
}

Result<std::vector<std::string>> Disk::list(const std::string& directory) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const std::string folder = normalized(directory);
  const InodePointer inode = state_->find(folder);
  if (!inode || !inode->is_directory) return fail(ErrorKind::not_found, folder);
  std::vector<std::string> names;
  for (const auto& [path, child] : state_->seen)
    if (parent_of(path) == folder) names.push_back(path.substr(path.rfind('/') + 1));
  return names;
}

Result<> Disk::make_directories(const std::string& path) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const std::string whole = normalized(path);
  for (size_t end = whole.find('/', 1);; end = whole.find('/', end + 1)) {
    const std::string part = whole.substr(0, end);
    const InodePointer inode = state_->find(part);
    if (inode && !inode->is_directory) return fail(ErrorKind::exists, part + " is not a folder");
    if (!inode) {
      if (state_->count()) return State::power();
      const auto made = std::make_shared<Inode>();
      made->is_directory = true;
      state_->change_names({parent_of(part), {{part, made}}});
    }
    if (end == std::string::npos) return {};
  }
}

Result<> Disk::remove_directory(const std::string& path) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const std::string folder = normalized(path);
  const InodePointer inode = state_->find(folder);
  if (!inode || !inode->is_directory) return fail(ErrorKind::not_found, folder);
  for (const auto& [name, child] : state_->seen)
    if (parent_of(name) == folder) return fail(ErrorKind::exists, folder + " is not empty");
  if (state_->count()) return State::power();
  state_->change_names({parent_of(folder), {{folder, nullptr}}});
  return {};
}

Result<> Disk::sync_directory(const std::string& path) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  const std::string folder = normalized(path);
  if (state_->count()) return State::power();
  if (state_->faults.sync_is_empty) return {};
  std::erase_if(state_->unsynced, [&](const NameChange& change) {
    if (change.directory != folder) return false;
    play(state_->durable, change);
    return true;
  });
  return {};
}

Result<bool> Disk::exists(const std::string& path) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  return state_->find(normalized(path)) != nullptr;
}

Result<uint64_t> Disk::free_bytes(const std::string&) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->dead) return State::power();
  return state_->faults.capacity_bytes -
         std::min(state_->used_bytes, state_->faults.capacity_bytes);
}

void Disk::set_faults(Faults faults) {
  const std::scoped_lock lock(state_->mutex);
  state_->faults = faults;
}

uint64_t Disk::operations() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->operations;
}

void Disk::crash(Random& random) {
  const std::scoped_lock lock(state_->mutex);
  std::map<std::string, bool> is_cut;  // A directory whose later changes are lost.
  for (const NameChange& change : state_->unsynced) {
    bool& cut = is_cut[change.directory];
    cut = cut || random.chance(30);
    if (!cut) play(state_->durable, change);
  }
  state_->unsynced.clear();
  // What lies below a folder that is gone is gone; the map has parents before children.
  std::erase_if(state_->durable, [&](const auto& entry) {
    const std::string parent = parent_of(entry.first);
    return !parent.empty() && parent != "/" && !state_->durable.contains(parent);
  });

  std::set<Inode*> done;
  for (const auto& [path, inode] : state_->durable) {
    if (!done.insert(inode.get()).second) continue;
    for (const Change& change : inode->unsynced) {
      const uint64_t draw = random.below(3);
      if (draw == 0) continue;
      if (draw == 1 || change.is_truncate) {
        play(inode->durable, change);
      } else {
        tear(inode->durable, change, random);
      }
    }
    inode->unsynced.clear();
    inode->seen = inode->durable;
  }
  state_->seen = state_->durable;
  state_->recount();
  state_->clear_faults();
  state_->dead = false;
  ++state_->epoch;
}

void Disk::kill() {
  const std::scoped_lock lock(state_->mutex);
  state_->clear_faults();
  state_->dead = false;
  ++state_->epoch;
}

void Disk::flip_bit(const std::string& path, uint64_t bit) {
  const std::scoped_lock lock(state_->mutex);
  const InodePointer inode = state_->find(path);
  ASSERT(inode && bit / 8 < inode->seen.size());
  const auto mask = static_cast<uint8_t>(1U << bit % 8);
  inode->seen[bit / 8] ^= mask;
  if (bit / 8 < inode->durable.size()) inode->durable[bit / 8] ^= mask;
}

Bytes Disk::contents(const std::string& path) const {
  const std::scoped_lock lock(state_->mutex);
  const InodePointer inode = state_->find(path);
  ASSERT(inode != nullptr);
  return inode->seen;
}

void Disk::put(const std::string& path, ByteView bytes) {
  const std::string parent = parent_of(path);
  if (!parent.empty() && parent != "/") ASSERT(make_directories(parent).has_value());
  const std::scoped_lock lock(state_->mutex);
  const auto inode = std::make_shared<Inode>();
  inode->seen.assign(bytes.begin(), bytes.end());
  inode->durable = inode->seen;
  state_->seen[path] = inode;
  state_->recount();
  // The parents of a durable name are durable.
  for (std::string at = path; !at.empty() && at != "/"; at = parent_of(at))
    state_->durable[at] = state_->seen[at];
  std::erase_if(state_->unsynced, [&](const NameChange& change) {
    return std::ranges::all_of(change.entries, [&](const auto& entry) {
      const auto at = state_->durable.find(entry.first);
      return entry.second && at != state_->durable.end() && at->second == entry.second;
    });
  });
}

}  // namespace laketap::io::sim
