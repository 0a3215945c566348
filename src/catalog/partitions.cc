// Partitions: one by one, in batches of one transaction, and in pages by an expression.
#include <fmt/format.h>

#include <algorithm>

#include "catalog/rows.h"

namespace laketap::catalog {
namespace {

constexpr size_t kChunk = 1000;

Result<> check_values(const Table& table, const std::vector<std::string>& values) {
  if (values.size() == table.partition_keys.size()) return {};
  return fail(ErrorKind::invalid,
              "The number of partition keys do not match the number of partition values");
}

uint64_t hash_of(
    std::string_view text) {  // FNV-1a: stable, so that segments stay the same from page to page.
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

Result<Partition> Catalog::find_partition(std::string_view database, std::string_view table,
                                          const std::vector<std::string>& values) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const Result<Table> owner = load_table(**transaction, folded(database), folded(table));
  if (!owner) return fail(owner.error());
  const auto found = (*transaction)->get(partition_key(owner->database, owner->name, values));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "Cannot find partition.");
  return read_partition((*found)->value);
}

Result<> Catalog::update_partition(std::string_view database, std::string_view table,
                                   const std::vector<std::string>& values, Partition wanted) {
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<Table> owner = load_table(transaction, folded(database), folded(table));
        if (!owner) return fail(owner.error());
        if (const Result<> good = check_values(*owner, wanted.values); !good) return good;
        const std::string old_key = partition_key(owner->database, owner->name, values);
        const std::string new_key = partition_key(owner->database, owner->name, wanted.values);
        const auto found = transaction.get(old_key);
        if (!found) return fail(found.error());
        if (!*found) return fail(ErrorKind::not_found, "Cannot find partition.");
        const Result<Partition> current = read_partition((*found)->value);
        if (!current) return fail(current.error());
        if (old_key != new_key) {
          const Result<bool> there = has(transaction, new_key);
          if (!there) return fail(there.error());
          if (*there) return fail(ErrorKind::exists, "Partition already exists.");
          transaction.erase(old_key);
        }
        Partition next = wanted;
        next.created = current->created;
        transaction.put(new_key, write_partition(next));
        return {};
      });
  ++revision_;
  return done;
}

Result<> Catalog::create_partition(std::string_view database, std::string_view table,
                                   Partition wanted) {
  std::vector<Partition> one;
  one.push_back(std::move(wanted));
  const auto done = create_partitions(database, table, std::move(one));
  if (!done) return fail(done.error());
  return done->front();
}

Result<> Catalog::remove_partition(std::string_view database, std::string_view table,
                                   const std::vector<std::string>& values) {
  const auto done = remove_partitions(database, table, {values});
  if (!done) return fail(done.error());
  return done->front();
}

Result<std::vector<Result<>>> Catalog::create_partitions(std::string_view database,
                                                         std::string_view table,
                                                         std::vector<Partition> wanted) {
  std::vector<Result<>> answers;
  for (Partition& one : wanted) one.created = clock_.now();
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        answers.clear();
        const Result<Table> owner = load_table(transaction, folded(database), folded(table));
        if (!owner) return fail(owner.error());
        for (const Partition& one : wanted) {
          answers.push_back(check_values(*owner, one.values));
          if (!answers.back()) continue;
          const std::string key = partition_key(owner->database, owner->name, one.values);
          const Result<bool> there = has(transaction, key);
          if (!there) return fail(there.error());
          if (*there)
            answers.back() = fail(ErrorKind::exists, "Partition already exists.");
          else
            transaction.put(key, write_partition(one));
        }
        return {};
      });
  ++revision_;
  if (!done) return fail(done.error());
  return answers;
}

Result<std::vector<Result<>>> Catalog::remove_partitions(
    std::string_view database, std::string_view table,
    const std::vector<std::vector<std::string>>& values) {
  std::vector<Result<>> answers;
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        answers.clear();
        const Result<Table> owner = load_table(transaction, folded(database), folded(table));
        if (!owner) return fail(owner.error());
        for (const std::vector<std::string>& one : values) {
          const std::string key = partition_key(owner->database, owner->name, one);
          const Result<bool> there = has(transaction, key);
          if (!there) return fail(there.error());
          answers.emplace_back();
          if (*there)
            transaction.erase(key);
          else
            answers.back() = fail(ErrorKind::not_found, "Cannot find partition.");
        }
        return {};
      });
  ++revision_;
  if (!done) return fail(done.error());
  return answers;
}

Result<> Catalog::rewrite_partitions(std::string_view database, std::string_view table,
                                     const std::function<bool(Partition&)>& change) {
  const std::string prefix = partitions_prefix(folded(database), folded(table));
  std::string from = prefix;
  for (bool more = true; more;) {
    std::string next;
    const Result<> done =
        state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
          const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
          if (!entries) return fail(entries.error());
          more = entries->size() == kChunk;
          if (more) next = entries->back().key + '\0';
          for (const state::Entry& entry : *entries) {
            Result<Partition> one = read_partition(entry.value);
            if (!one) return fail(one.error());
            if (change(*one)) transaction.put(entry.key, write_partition(*one));
          }
          return {};
        });
    ++revision_;
    if (!done) return done;
    from = std::move(next);
  }
  return {};
}

Result<PartitionPage> Catalog::partitions(std::string_view database, std::string_view table,
                                          std::string_view expression, std::string_view after,
                                          size_t limit, Segment segment) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const Result<Table> owner = load_table(**transaction, folded(database), folded(table));
  if (!owner) return fail(owner.error());
  std::unique_ptr<PartitionFilter> filter;
  if (expression.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    Result<std::unique_ptr<PartitionFilter>> parsed =
        parse_partition_filter(expression, owner->partition_keys);
    if (!parsed) return fail(parsed.error());
    filter = std::move(*parsed);
  }
  const std::string prefix = partitions_prefix(owner->database, owner->name);
  std::string from = after.empty() ? prefix : prefix + std::string(after) + '\0';
  PartitionPage page;
  while (true) {
    const auto entries = (*transaction)->scan(from, state::prefix_end(prefix), kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      if (segment.total > 1 && hash_of(entry.key) % segment.total != segment.number) continue;
      Result<Partition> one = read_partition(entry.value);
      if (!one) return fail(one.error());
      if (filter) {
        const Result<bool> holds = filter->holds(one->values);
        if (!holds) return fail(holds.error());
        if (!*holds) continue;
      }
      if (page.partitions.size() == limit) {
        page.next = partition_key(owner->database, owner->name, page.partitions.back().values)
                        .substr(prefix.size());
        return page;
      }
      page.partitions.push_back(std::move(*one));
    }
    if (entries->size() < kChunk) return page;
    from = entries->back().key + '\0';
  }
}

std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace laketap::catalog
