#include "store/local.h"

namespace laketap::store {

struct Pins::Held {
  io::Files& files;
  std::string file;
  std::atomic<bool> doomed = false;
  ~Held() {
    // A failure leaves an orphan, which the next start sweeps.
    if (doomed) (void)files.remove(file);
  }
};

std::shared_ptr<void> Pins::hold(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  std::weak_ptr<Held>& slot = held_[path];
  std::shared_ptr<Held> held = slot.lock();
  if (!held) {
    held = std::make_shared<Held>(files_, directory_ + "/" + path);
    slot = held;
  }
  if (held_.size() > 4096)
    std::erase_if(held_, [](const auto& one) { return one.second.expired(); });
  return held;
}

void Pins::doom(const std::string& path) {
  std::shared_ptr<Held> held;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = held_.find(path); found != held_.end()) {
      held = found->second.lock();
      held_.erase(found);
    }
  }
  if (held) {
    held->doomed = true;  // Its destructor, perhaps this very one, removes the file.
  } else {
    (void)files_.remove(directory_ + "/" + path);
  }
}

}  // namespace laketap::store
