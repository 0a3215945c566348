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

void Pins::doom(const std::string& path) {
  std::unique_lock lock(shared_->mutex);
  Slot& slot = shared_->slots[path];
  if (std::exchange(slot.doomed, true)) return;
  if (slot.held.expired()) shared_->remove(std::move(lock), path);
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
  if (std::exchange(slots[path].removing, true)) return;
  lock.unlock();
  (void)files.remove(directory + "/" +
                     path);  // A failure leaves an orphan; the next start sweeps it.
  lock.lock();
  slots.erase(path);
}

}  // namespace laketap::store
