// Local: the store on local files. Inner header of store.
#pragma once

#include <atomic>
#include <shared_mutex>
#include <span>
#include <thread>

#include "store/folders.h"
#include "store/local_multipart.h"
#include "store/paths.h"
#include "store/pins.h"
#include "store/rows.h"
#include "store/settle.h"
#include "store/store.h"

namespace laketap::store {

// What a transaction also does in the state where an object's row is written.
using Also = std::function<Result<>(state::Transaction&)>;

// What a removal did, for totals and listeners.
struct Removal {
  Removed removed;
  std::vector<std::string> old_files;
  bool hid = false, showed = false;  // An object that was the latest; one that is now.
  uint64_t hid_bytes = 0, shown_bytes = 0;
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
  Result<std::vector<Result<Removed>>> remove_all(const std::string& bucket,
                                                  std::span<const RemoveRequest> requests) override;
  Result<Pin> pin(const ObjectInfo& object) override;
  Result<std::vector<ObjectInfo>> snapshot(const std::string& bucket,
                                           const std::string& prefix) const override;
  Result<bool> delivered(const std::string& plan_id) const override;
  Result<> forget_plan(const std::string& plan_id) override;
  void keep_reserve(io::Reserve& reserve) override { reserve_ = &reserve; }
  void listen(std::function<void(const Change&)> listener) override {
    listeners_.push_back(std::move(listener));
  }
  Multipart& multipart() override { return multipart_; }
  Totals totals() const override { return {objects_.load(), bytes_.load()}; }

  // A file in .uploads, to be written and committed as an object.
  Result<std::unique_ptr<Upload>> begin_upload(const std::string& bucket, const std::string& key,
                                               Also also);

 private:
  Result<std::vector<Result<Removed>>> try_remove_all(const std::string& bucket,
                                                      std::span<const RemoveRequest> requests);
  friend class LocalUpload;
  friend class Settler;
  friend class LocalMultipart;
  friend class LocalPart;

  // Gives the synced file `temporary` its place, durably. Returns the relative path.
  Result<std::string> place(const std::string& temporary, const std::string& bucket,
                            const std::string& key, const std::string& id);
  // Removes files that no row names any more, and folders that are empty now.
  void doom(const std::vector<std::string>& paths);
  // Writes the row; `old_files` gets the paths that nobody needs any more.
  Result<ObjectInfo> write_object(ObjectInfo info, const CommitOptions& options, const Also& also,
                                  std::vector<std::string>& old_files);
  // Gives a version's file another path.
  void move(const std::string& bucket, const std::string& key, const std::string& state_key,
            const Row& row, const std::string& to);
  // The current object of the key to its readable path, an older version away from it.
  void settle(const std::string& bucket, const std::string& key);
  Result<Removal> remove_one(state::Transaction& transaction, const Bucket& bucket,
                             const RemoveRequest& request);
  void after_removal(const std::string& bucket, const std::string& key, const Removal& removal);
  void tell(const Change& change) const;
  void sweep(const std::stop_token& stop);

  std::string directory_;
  state::Database& database_;
  io::Files& files_;
  io::Clock& clock_;
  io::Random& random_;
  Pins pins_;
  Folders folders_;
  LocalMultipart multipart_;
  std::vector<std::function<void(const Change&)>> listeners_;
  io::Reserve* reserve_ = nullptr;
  std::atomic<uint64_t> objects_ = 0, bytes_ = 0;
  // Shared from a file's placing to its row, and from a row's end to its file's; the sweeper has it
  // alone while it looks for the row of a file and removes it.
  std::shared_mutex changing_;
  std::unique_ptr<state::Transaction> at_start_;  // What was there when we started.
  Settler settler_;
  std::jthread sweeper_;
};

// An older version of a key, with the key of its row.
struct OlderVersion {
  std::string state_key;
  Row row;
};
// The one with this id, or the newest when the id is empty; absent when there is none.
Result<std::optional<OlderVersion>> older_version(state::Transaction& transaction,
                                                  const std::string& bucket, const std::string& key,
                                                  std::string_view version_id);

std::string new_id(io::Random& random);  // 32 hexadecimal digits.

// Rows of one page, from one snapshot (listing.cc).
Result<Page> list_page(state::Transaction& snapshot, const std::string& bucket,
                       const ListRequest& request);

}  // namespace laketap::store
