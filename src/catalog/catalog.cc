#include "catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/rows.h"

namespace laketap::catalog {
namespace {

constexpr size_t kChunk = 1000;

std::unexpected<Error> no_database(std::string_view name) {
  return fail(ErrorKind::not_found, fmt::format("Database {} not found.", name));
}
std::unexpected<Error> no_table(std::string_view name) {
  return fail(ErrorKind::not_found, fmt::format("Table {} not found.", name));
}

// Erases all entries under a prefix.
Result<> erase_all(state::Transaction& transaction, const std::string& prefix) {
  std::string from = prefix;
  while (true) {
    const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) transaction.erase(entry.key);
    if (entries->size() < kChunk) return {};
    from = entries->back().key + '\0';
  }
}

template <class T, class Read>
Result<std::vector<T>> scan_all(state::Transaction& transaction, const std::string& prefix,
                                Read read) {
  std::vector<T> out;
  std::string from = prefix;
  while (true) {
    const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<T> one = read(entry.value);
      if (!one) return fail(one.error());
      out.push_back(std::move(*one));
    }
    if (entries->size() < kChunk) return out;
    from = entries->back().key + '\0';
  }
}

}  // namespace

Result<bool> has(state::Transaction& transaction, const std::string& key) {
  const auto found = transaction.get(key);
  if (!found) return fail(found.error());
  return found->has_value();
}

Result<Table> load_table(state::Transaction& transaction, const std::string& database,
                         const std::string& name) {
  const auto found = transaction.get(table_key(database, name));
  if (!found) return fail(found.error());
  if (*found) return read_table((*found)->value);
  const Result<bool> there = has(transaction, database_key(database));
  if (!there) return fail(there.error());
  return *there ? no_table(name) : no_database(database);
}

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

Result<std::unique_ptr<Catalog>> Catalog::open(state::Database& database, io::Clock& clock) {
  std::unique_ptr<Catalog> made(new Catalog(database, clock));  // The constructor is private.
  const Result<> done =
      made->create_database({.name = "default", .description = "Default Hive database"});
  if (!done && done.error().kind != ErrorKind::exists)
    return fail(done.error(), "opening the catalog");
  return made;
}

Result<> Catalog::create_database(Database wanted) {
  wanted.name = folded(wanted.name);
  wanted.created = clock_.now();
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<bool> there = has(transaction, database_key(wanted.name));
        if (!there) return fail(there.error());
        if (*there) return fail(ErrorKind::exists, "Database already exists.");
        transaction.put(database_key(wanted.name), write_database(wanted));
        return {};
      });
  ++revision_;
  return done;
}

Result<Database> Catalog::find_database(std::string_view name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(database_key(folded(name)));
  if (!found) return fail(found.error());
  if (!*found) return no_database(name);
  return read_database((*found)->value);
}

Result<std::vector<Database>> Catalog::list_databases() const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  return scan_all<Database>(**transaction, databases_prefix(), read_database);
}

Result<> Catalog::update_database(std::string_view name, Database wanted) {
  const std::string old = folded(name);
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(database_key(old));
        if (!found) return fail(found.error());
        if (!*found) return no_database(old);
        const Result<Database> current = read_database((*found)->value);
        if (!current) return fail(current.error());
        Database next = wanted;
        next.name = old;  // Glue does not rename databases.
        next.created = current->created;
        transaction.put(database_key(old), write_database(next));
        return {};
      });
  ++revision_;
  return done;
}

Result<> Catalog::remove_database(std::string_view name) {
  const std::string old = folded(name);
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<bool> there = has(transaction, database_key(old));
        if (!there) return fail(there.error());
        if (!*there) return no_database(old);
        transaction.erase(database_key(old));
        for (const std::string& prefix :
             {tables_prefix(old), state::key("table-version", old), state::key("partition", old)})
          if (const Result<> erased = erase_all(transaction, prefix); !erased) return erased;
        return {};
      });
  ++revision_;
  return done;
}

Result<> Catalog::create_table(Table wanted) {
  wanted.database = folded(wanted.database);
  wanted.name = folded(wanted.name);
  wanted.created = wanted.updated = clock_.now();
  wanted.version = 0;
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<bool> home = has(transaction, database_key(wanted.database));
        if (!home) return fail(home.error());
        if (!*home) return no_database(wanted.database);
        const Result<bool> there = has(transaction, table_key(wanted.database, wanted.name));
        if (!there) return fail(there.error());
        if (*there) return fail(ErrorKind::exists, "Table already exists.");
        transaction.put(table_key(wanted.database, wanted.name), write_table(wanted));
        return {};
      });
  ++revision_;
  return done;
}

Result<Table> Catalog::find_table(std::string_view database, std::string_view name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  return load_table(**transaction, folded(database), folded(name));
}

Result<std::vector<Table>> Catalog::list_tables(std::string_view database) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const Result<bool> there = has(**transaction, database_key(folded(database)));
  if (!there) return fail(there.error());
  if (!*there) return no_database(database);
  return scan_all<Table>(**transaction, tables_prefix(folded(database)), read_table);
}

Result<> Catalog::update_table(Table wanted, bool skip_archive,
                               std::optional<uint64_t> expected_version) {
  wanted.database = folded(wanted.database);
  wanted.name = folded(wanted.name);
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<Table> current = load_table(transaction, wanted.database, wanted.name);
        if (!current) return fail(current.error());
        if (expected_version && *expected_version != current->version)
          return fail(ErrorKind::conflict, "Update table failed due to concurrent modifications.");
        Table next = wanted;
        next.created = current->created;
        next.created_by = current->created_by;
        next.updated = clock_.now();
        next.version = current->version + 1;
        if (!skip_archive)
          transaction.put(version_key(wanted.database, wanted.name, current->version),
                          write_table(*current));
        transaction.put(table_key(wanted.database, wanted.name), write_table(next));
        return {};
      });
  ++revision_;
  return done;
}

Result<> Catalog::refresh_parameters(std::string_view database, std::string_view name,
                                     const Parameters& parameters) {
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        Result<Table> table = load_table(transaction, folded(database), folded(name));
        if (!table) return fail(table.error());
        for (const auto& [key, value] : parameters) {
          table->parameters[key] = value;
          if (table->storage) table->storage->parameters[key] = value;
        }
        transaction.put(table_key(table->database, table->name), write_table(*table));
        return {};
      });
  ++revision_;
  return done;
}

Result<> Catalog::remove_table(std::string_view database, std::string_view name) {
  const std::string home = folded(database);
  const std::string table = folded(name);
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        if (const Result<Table> current = load_table(transaction, home, table); !current)
          return fail(current.error());
        transaction.erase(table_key(home, table));
        for (const std::string& prefix :
             {versions_prefix(home, table), partitions_prefix(home, table)})
          if (const Result<> erased = erase_all(transaction, prefix); !erased) return erased;
        return {};
      });
  ++revision_;
  return done;
}

Result<std::vector<Table>> Catalog::versions(std::string_view database,
                                             std::string_view name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  Result<Table> current = load_table(**transaction, folded(database), folded(name));
  if (!current) return fail(current.error());
  Result<std::vector<Table>> older =
      scan_all<Table>(**transaction, versions_prefix(folded(database), folded(name)), read_table);
  if (!older) return older;
  older->insert(older->begin(), std::move(*current));
  return older;
}

Result<> Catalog::remove_version(std::string_view database, std::string_view name,
                                 uint64_t version) {
  const std::string key = version_key(folded(database), folded(name), version);
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const Result<Table> current = load_table(transaction, folded(database), folded(name));
        if (!current) return fail(current.error());
        if (current->version == version)
          return fail(ErrorKind::invalid, "Cannot delete the current version of a table.");
        const Result<bool> there = has(transaction, key);
        if (!there) return fail(there.error());
        if (!*there) return fail(ErrorKind::not_found, "Version not found.");
        transaction.erase(key);
        return {};
      });
  ++revision_;
  return done;
}

}  // namespace laketap::catalog
