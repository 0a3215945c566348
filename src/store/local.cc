#include "store/local.h"

#include <fmt/format.h>

#include <algorithm>

namespace laketap::store {
namespace {

constexpr size_t kBucketsMax = 10'000;

}  // namespace

bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  if (!std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; }))
    return false;
  if (name.find("..") != std::string_view::npos) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"})
    if (name.starts_with(prefix)) return false;
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"})
    if (name.ends_with(suffix)) return false;
  // Not in the form of an IPv4 address.
  const bool digits =
      std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return !(digits && std::ranges::count(name, '.') == 3);
}

Local::Local(std::string directory, state::Database& objects, io::Files& files, io::Clock& clock,
             io::Random& random)
    : directory_(std::move(directory)),
      database_(objects),
      files_(files),
      clock_(clock),
      random_(random),
      pins_(files, directory_),
      folders_(files, directory_),
      multipart_(*this),
      settler_(*this) {}

Local::~Local() {
  settler_.stop();
  sweeper_.request_stop();
}

Result<> Local::prepare() {
  for (const std::string_view folder : {kUploadsFolder, kScratchFolder}) {
    const std::string path = directory_ + "/" + std::string(folder);
    if (const Result<> made = io::make_durable_directories(files_, path); !made) return made;
  }
  const std::string uploads = directory_ + "/" + std::string(kUploadsFolder);
  const Result<std::vector<std::string>> left = files_.list(uploads);
  if (!left) return fail(left.error());
  for (const std::string& name : *left) (void)files_.remove(uploads + "/" + name);
  if (const Result<> ready = multipart_.prepare(); !ready) return ready;
  Result<std::unique_ptr<state::Transaction>> snapshot = database_.begin();
  if (!snapshot) return fail(snapshot.error());
  at_start_ = std::move(*snapshot);
  settler_.start();
  sweeper_ = std::jthread([this](const std::stop_token& stop) { sweep(stop); });
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, state::Database& objects,
                                           io::Files& files, io::Clock& clock, io::Random& random) {
  auto made = std::make_unique<Local>(directory, objects, files, clock, random);
  if (const Result<> ready = made->prepare(); !ready)
    return fail(ready.error(), "opening the store");
  return std::unique_ptr<Store>(std::move(made));
}

Result<> Local::create_bucket(const std::string& name, const std::string& region) {
  if (!is_bucket_name(name)) return fail(ErrorKind::invalid, "bucket name " + name);
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(bucket_key(name));
    if (!found) return fail(found.error());
    if (*found) return fail(ErrorKind::exists, "bucket " + name);
    transaction.put(bucket_key(name),
                    write_bucket({.name = name, .region = region, .created = clock_.now()}));
    return {};
  });
}

Result<Bucket> Local::find_bucket(const std::string& name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(bucket_key(name));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
  Result<Bucket> bucket = read_bucket((*found)->value);
  if (bucket) bucket->name = name;
  return bucket;
}

Result<std::vector<Bucket>> Local::list_buckets() const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto entries =
      (*transaction)->scan(buckets_prefix(), state::prefix_end(buckets_prefix()), kBucketsMax);
  if (!entries) return fail(entries.error());
  std::vector<Bucket> out;
  for (const state::Entry& entry : *entries) {
    Result<Bucket> bucket = read_bucket(entry.value);
    if (!bucket) return fail(bucket.error());
    bucket->name = state::parts_of(entry.key).at(1);
    out.push_back(std::move(*bucket));
  }
  return out;
}

Result<> Local::remove_bucket(const std::string& name) {
  std::vector<std::string> parts;
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        parts.clear();
        const auto found = transaction.get(bucket_key(name));
        if (!found) return fail(found.error());
        if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
        for (const std::string& prefix : {objects_prefix(name, ""), bucket_versions_prefix(name)}) {
          const auto entries = transaction.scan(prefix, state::prefix_end(prefix), 1);
          if (!entries) return fail(entries.error());
          if (!entries->empty())
            return fail(ErrorKind::conflict, "bucket " + name + " is not empty");
        }
        transaction.erase(bucket_key(name));
        return multipart_.erase_all(transaction, name, parts);
      });
  if (!done) return done;
  multipart_.remove_files(parts);
  folders_.remove_bucket(name);
  return {};
}

Result<> Local::set_versioning(const std::string& name, Versioning versioning) {
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(bucket_key(name));
    if (!found) return fail(found.error());
    if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
    Result<Bucket> bucket = read_bucket((*found)->value);
    if (!bucket) return fail(bucket.error());
    bucket->versioning = versioning;
    transaction.put(bucket_key(name), write_bucket(*bucket));
    return {};
  });
}

}  // namespace laketap::store
