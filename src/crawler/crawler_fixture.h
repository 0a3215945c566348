// A crawler over a store in a folder of its own, for tests.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <thread>

#include "crawler/crawler.h"

namespace laketap::crawler {

class CrawlerFixture : public testing::Test {
 protected:
  CrawlerFixture() {
    directory_ =
        std::filesystem::temp_directory_path() / ("crawler_test_" + io::uuid_v4(io::real_random()));
    std::filesystem::create_directories(directory_);
    store_ = std::move(*store::Store::open(directory_.string(), *objects_, io::real_files(),
                                           io::real_clock(), io::real_random()));
    EXPECT_TRUE(store_->create_bucket(bucket_, "us-east-1"));
    catalog_ = std::move(*catalog::Catalog::open(*control_, io::real_clock()));
    open();
  }
  ~CrawlerFixture() override {
    crawlers_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void open() {
    crawlers_.reset();
    crawlers_ = std::move(
        *Crawlers::open({*control_, *store_, *catalog_, io::real_clock(), io::real_random()}));
    crawlers_->start_threads();
  }

  void put(const std::string& key, const std::string& body) {
    auto upload = store_->begin_upload(bucket_, key);
    ASSERT_TRUE(upload) << key;
    ASSERT_TRUE((*upload)->write(view(body)));
    ASSERT_TRUE((*upload)->commit({}));
  }
  static std::string gzipped(const std::string& body) {
    std::string out(compressBound(body.size()) + 64, '\0');
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
  }

  Definition make(const std::string& name, const std::string& path) {
    return {.name = name, .role = "r", .database = "db", .targets = {{.path = path}}};
  }
  // Runs it and gives the run that ended.
  Crawl crawl(const std::string& name) {
    EXPECT_TRUE(crawlers_->start(name));
    EXPECT_TRUE(eventually([&] { return crawlers_->status(name).state == "READY"; }));
    const Status status = crawlers_->status(name);
    EXPECT_TRUE(status.last);
    return status.last.value_or(Crawl());
  }
  static bool eventually(const std::function<bool()>& check) {
    for (int i = 0; i < 1000; ++i) {
      if (check()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::vector<std::string> table_names() {
    std::vector<std::string> out;
    const auto tables = catalog_->list_tables("db");
    if (tables)
      for (const catalog::Table& table : *tables) out.push_back(table.name);
    return out;
  }
  static std::string columns_of(const catalog::Table& table) {
    std::string out;
    for (const catalog::Column& column : table.storage->columns)
      out += (out.empty() ? "" : ", ") + column.name + " " + column.type;
    return out;
  }
  std::string columns_of(const std::string& name) {
    const auto table = catalog_->find_table("db", name);
    return table ? columns_of(*table) : "no table";
  }
  std::vector<std::string> partitions_of(const std::string& name) {
    std::vector<std::string> out;
    const auto page = catalog_->partitions("db", name);
    if (page)
      for (const catalog::Partition& one : page->partitions)
        out.push_back(fmt::format("{}", fmt::join(one.values, "/")));
    return out;
  }

  std::string bucket_ = "lake-1.x";
  std::filesystem::path directory_;
  std::unique_ptr<state::Database> control_ = state::in_memory();
  std::unique_ptr<state::Database> objects_ = state::in_memory();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Crawlers> crawlers_;
};

}  // namespace laketap::crawler
