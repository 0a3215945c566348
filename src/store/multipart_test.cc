#include "store/multipart.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace laketap::store {
namespace {

class MultipartTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "multipart-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    reopen();
    ASSERT_TRUE(store_->create_bucket("bucket", "us-east-1"));
  }
  void TearDown() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    store_.reset();
    database_.reset();
    database_ = std::move(*state::open_sqlite(folder_ + "/objects.db"));
    store_ = std::move(*Store::open(folder_ + "/objects", *database_, io::real_files(),
                                    io::real_clock(), io::real_random()));
  }
  Multipart& parts() { return store_->multipart(); }
  OpenUpload create(const std::string& key) { return *parts().create("bucket", key, {{"a", "b"}}); }
  Result<Part> put(const OpenUpload& upload, int number, std::string_view body) {
    auto part = parts().begin_part("bucket", upload.key, upload.upload_id, number);
    if (!part) return fail(part.error());
    if (const auto written = (*part)->write(view(body)); !written) return fail(written.error());
    return (*part)->commit("etag of " + std::string(body), {});
  }
  std::string body(const std::string& key) {
    const auto found = store_->find("bucket", key);
    if (!found) return "(none)";
    std::ifstream file(found->path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  size_t files_on_disk() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/objects"))
      count += entry.is_regular_file();
    return count;
  }

  std::string folder_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Store> store_;
};

TEST_F(MultipartTest, PartsInAnyOrderBecomeOneObjectInTheOrderNamed) {
  const OpenUpload upload = create("k");
  ASSERT_TRUE(put(upload, 7, "c"));
  ASSERT_TRUE(put(upload, 1, "old"));
  ASSERT_TRUE(put(upload, 1, "a"));
  ASSERT_TRUE(put(upload, 3, "left out"));
  ASSERT_TRUE(put(upload, 2, "b"));
  std::vector<Part> chosen = *parts().parts(upload, 0, 100);
  ASSERT_EQ(chosen.size(), 4u);
  std::erase_if(chosen, [](const Part& part) { return part.number == 3; });

  const auto done = parts().complete(upload, chosen, {.metadata = upload.metadata, .etag = "e"});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(body("k"), "abc");
  EXPECT_EQ(done->metadata.at("a"), "b");
  EXPECT_EQ(files_on_disk(), 1u) << "no part is left";
  EXPECT_EQ(parts().find("bucket", "k", upload.upload_id).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(put(upload, 4, "too late"));
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_F(MultipartTest, APartThatWasReplacedMeanwhileIsAConflict) {
  const OpenUpload upload = create("k");
  ASSERT_TRUE(put(upload, 1, "a"));
  const std::vector<Part> chosen = *parts().parts(upload, 0, 100);
  ASSERT_TRUE(put(upload, 1, "other"));

  const auto done = parts().complete(upload, chosen, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::conflict);
  EXPECT_EQ(body("k"), "(none)");
  EXPECT_TRUE(parts().find("bucket", "k", upload.upload_id)) << "it stays open";
}

TEST_F(MultipartTest, OpenUploadsSurviveARestartAndStrayFilesDoNot) {
  const OpenUpload upload = create("k");
  ASSERT_TRUE(put(upload, 1, "a"));
  std::ofstream(folder_ + "/objects/.parts/stray") << "x";
  reopen();
  EXPECT_EQ(files_on_disk(), 1u);
  ASSERT_TRUE(put(upload, 2, "b"));
  ASSERT_TRUE(parts().complete(upload, *parts().parts(upload, 0, 100), {}));
  EXPECT_EQ(body("k"), "ab");
}

TEST_F(MultipartTest, AbortAndTheBucketsEndRemoveAllParts) {
  const OpenUpload one = create("one");
  const OpenUpload two = create("two");
  ASSERT_TRUE(put(one, 1, "a"));
  ASSERT_TRUE(put(two, 1, "b"));
  ASSERT_TRUE(parts().abort(one));
  EXPECT_EQ(files_on_disk(), 1u);
  EXPECT_EQ(parts().abort(one).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(store_->remove_bucket("bucket")) << "open uploads do not keep it";
  EXPECT_EQ(files_on_disk(), 0u);
  ASSERT_TRUE(store_->create_bucket("bucket", "us-east-1"));
  EXPECT_TRUE(parts().list("bucket", {})->uploads.empty());
}

TEST_F(MultipartTest, ListingsPageThroughOpenUploads) {
  std::vector<std::string> expected;
  for (const char* key : {"a/1", "a/2", "b", "b", "c"}) expected.push_back(create(key).key);
  for (size_t limit = 1; limit <= 6; ++limit) {
    std::vector<std::string> seen;
    OpenUploadsRequest request{.limit = limit};
    while (true) {
      const auto page = parts().list("bucket", request);
      ASSERT_TRUE(page);
      for (const OpenUpload& upload : page->uploads) seen.push_back(upload.key);
      if (!page->truncated) break;
      request.key_marker = page->next_key;
      request.upload_id_marker = page->next_upload_id;
    }
    EXPECT_EQ(seen, expected) << limit;
  }
  const auto folded = parts().list("bucket", {.delimiter = "/"});
  EXPECT_EQ(folded->common_prefixes, std::vector<std::string>{"a/"});
  EXPECT_EQ(folded->uploads.size(), 3u);
}

}  // namespace
}  // namespace laketap::store
