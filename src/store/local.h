// Local: the store on local files. Inner header of store.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "store/paths.h"
#include "store/rows.h"
#include "store/store.h"

namespace laketap::store {

// Files that somebody reads: unlinked when doomed and let go of by the last pin.
class Pins {
 public:
  Pins(io::Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  // `path` is relative. The handle keeps the file until it is destroyed.
  std::shared_ptr<void> hold(const std::string& path);
  // Removes the file now, or when its last pin goes.
  void doom(const std::string& path);

 private:
  struct Held;
  io::Files& files_;
  std::string directory_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Held>> held_;
};

class Local : public Store {
 public:
  Local(std::string directory, state::Database& objects, io::Files& files, io::Clock& clock,
        io::Random& random);
  ~Local() override;

  Result<> prepare();

  Result<> create_bucket(const std::string& name, const std::string& region) override;
  Result<Bucket> find_bucket(const std::string& name) const override;
  Result<std::vector<Bucket>> list_buckets() const override;
  Result<> remove_bucket(const std::string& name) override;
  Result<> set_versioning(const std::string& name, Versioning versioning) override;
  Result<std::unique_ptr<Upload>> begin_upload(const std::string& bucket,
                                               const std::string& key) override;
  Result<ObjectInfo> find(const std::string& bucket, const std::string& key,
                          const std::string& version_id) const override;
  Result<Page> list(const std::string& bucket, const ListRequest& request) const override;
  Result<Removed> remove(const std::string& bucket, const std::string& key,
                         const std::string& version_id, const std::string& if_match) override;
  Result<Pin> pin(const ObjectInfo& object) override;
  Result<std::vector<ObjectInfo>> snapshot(const std::string& bucket,
                                           const std::string& prefix) const override;
  Result<bool> delivered(const std::string& plan_id) const override;
  Result<> forget_plan(const std::string& plan_id) override;
  void listen(std::function<void(const Change&)> listener) override {
    listeners_.push_back(std::move(listener));
  }
  std::string scratch_directory() const override {
    return directory_ + "/" + std::string(kScratchFolder);
  }
  Totals totals() const override { return {objects_.load(), bytes_.load()}; }

 private:
  friend class LocalUpload;

  // Puts the synced file `temporary` to its place and syncs the folder. Gives the relative path.
  Result<std::string> place(const std::string& temporary, const std::string& bucket,
                            const std::string& key, const std::string& id);
  Result<> ensure_folder(const std::string& relative);
  // Writes the row; `old_files` gets the paths that nobody needs any more.
  Result<ObjectInfo> write_object(ObjectInfo info, const CommitOptions& options,
                                  std::vector<std::string>& old_files);
  void tell(const Change& change) const;
  void sweep(std::stop_token stop);

  std::string directory_;
  state::Database& database_;
  io::Files& files_;
  io::Clock& clock_;
  io::Random& random_;
  Pins pins_;
  std::vector<std::function<void(const Change&)>> listeners_;
  std::atomic<uint64_t> objects_ = 0, bytes_ = 0;
  std::mutex mutex_;
  std::set<std::string> folders_;  // Known to be there and synced.
  std::set<std::string> claimed_;  // Paths whose row is being written: not orphans.
  std::jthread sweeper_;
};

// Rows of one page, from one snapshot (listing.cc).
Result<Page> list_page(state::Transaction& snapshot, const std::string& bucket,
                       const ListRequest& request);

}  // namespace laketap::store
