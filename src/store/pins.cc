#include "store/pins.h"

namespace laketap::store {

Pins::Pins(io::Files& files, std::string directory)
    : shared_(std::make_shared<Shared>(files, std::move(directory))) {}

std::shared_ptr<void> Pins::hold(const std::string& path) {
  std::shared_ptr<Held> held;
  const std::scoped_lock lock(shared_->mutex);
  Slot& slot = shared_->slots[path];
  if (slot.doomed) return nullptr;
  held = slot.held.lock();
  if (!held) {
    held = std::make_shared<Held>(shared_, path);
    slot.held = held;
  }
  return held;
}

uint64_t Pins::dooms() const {
  return shared_->dooms;
}

void Pins::doom(const std::string& path) {
  shared_->doom(path, false);
}

void Pins::doom_orphan(const std::string& path) {
  shared_->doom(path, true);
}

void Pins::Shared::doom(const std::string& path, bool orphan) {
  std::unique_lock lock(mutex);
  Slot& slot = slots[path];
  if (slot.doomed) {
    // The first file is being removed, so this is another, which took its path in this moment.
    slot.again |= !orphan;
    return;
  }
  slot.doomed = true;
  ++dooms;  // Before the file goes, so before its path is anybody else's.
  if (slot.held.expired()) remove(std::move(lock), path);
}

// A handle went. Another may have been made meanwhile; the last one of a doomed file removes it.
void Pins::Shared::let_go(const std::string& path) {
  std::unique_lock lock(mutex);
  const auto found = slots.find(path);
  if (found == slots.end() || !found->second.held.expired()) return;
  if (found->second.doomed) return remove(std::move(lock), path);
  slots.erase(found);
}

// The slot stays until the file is gone, so that nobody holds what is about to go.
void Pins::Shared::remove(std::unique_lock<std::mutex> lock, const std::string& path) {
  Slot& slot = slots[path];
  if (std::exchange(slot.removing, true)) return;
  do {
    slot.again = false;
    lock.unlock();
    (void)files.remove(directory + "/" + path);  // A failure leaves an orphan for the next start.
    lock.lock();
    if (slot.again) ++dooms;
  } while (slot.again);
  slots.erase(path);
}

}  // namespace laketap::store
