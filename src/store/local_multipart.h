// LocalMultipart: parts are files in .parts until their upload is completed. Inner header of store.
#pragma once

#include "store/multipart.h"

namespace laketap::store {

class Local;

class LocalMultipart : public Multipart {
 public:
  explicit LocalMultipart(Local& store) : store_(store) {}

  // Removes files of parts that no row names.
  Result<> prepare();

  Result<OpenUpload> create(const std::string& bucket, const std::string& key,
                            const std::map<std::string, std::string>& metadata) override;
  Result<OpenUpload> find(const std::string& bucket, const std::string& key,
                          const std::string& upload_id) const override;
  Result<std::unique_ptr<PartUpload>> begin_part(const std::string& bucket, const std::string& key,
                                                 const std::string& upload_id, int number) override;
  Result<std::vector<Part>> parts(const OpenUpload& upload, int after, size_t limit) const override;
  Result<OpenUploadsPage> list(const std::string& bucket,
                               const OpenUploadsRequest& request) const override;
  Result<ObjectInfo> complete(const OpenUpload& upload, const std::vector<Part>& parts,
                              const CommitOptions& options) override;
  Result<> abort(const OpenUpload& upload) override;

  // Erases the rows of a bucket's open uploads; `files` gets the parts' files, for remove_files()
  // after the commit.
  Result<> erase_all(state::Transaction& transaction, const std::string& bucket,
                     std::vector<std::string>& files) const;
  void remove_files(const std::vector<std::string>& files) const;

 private:
  friend class LocalPart;
  std::string path_of(const std::string& file) const;

  Local& store_;
};

}  // namespace laketap::store
