#include "query/metadata.h"

#include <fmt/format.h>

#include <algorithm>

namespace laketap::query {
namespace {

struct Name {
  std::string database, table;
};

// t, db.t or catalog.db.t; SHOW TABLES names a database only.
Name name_of(const sql::ParsedStatement& statement, const std::string& database) {
  const auto& parts = statement.name;
  if (parts.empty()) return {database, ""};
  if (statement.kind == sql::StatementKind::show_tables) return {parts.back(), ""};
  if (parts.size() == 1) return {database, parts[0]};
  return {parts[parts.size() - 2], parts.back()};
}

// `*` is any text, `|` separates choices; .* is taken as well.
bool matches_one(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.starts_with(".*")) pattern.remove_prefix(1);
  if (pattern.front() != '*')
    return !name.empty() && pattern.front() == name.front() &&
           matches_one(pattern.substr(1), name.substr(1));
  for (size_t taken = 0; taken <= name.size(); ++taken)
    if (matches_one(pattern.substr(1), name.substr(taken))) return true;
  return false;
}
bool matches(std::string_view pattern, std::string_view name) {
  constexpr size_t kPatternBytesMax = 256;  // The match is quadratic and worse.
  if (pattern.empty()) return true;
  if (pattern.size() > kPatternBytesMax) return false;
  for (size_t at = 0; at <= pattern.size();) {
    const size_t bar = std::min(pattern.find('|', at), pattern.size());
    if (matches_one(pattern.substr(at, bar - at), name)) return true;
    at = bar + 1;
  }
  return false;
}

std::string padded(std::string_view text) {
  return fmt::format("{:<20}", text);
}

std::unexpected<Error> no_table(const Name& name) {
  return fail(ErrorKind::invalid,
              fmt::format("FAILED: SemanticException [Error 10001]: Table not found {}.{}",
                          name.database, name.table));
}

MetadataAnswer describe(const catalog::Table& table) {
  MetadataAnswer made;
  made.columns = {{"col_name", "string"}, {"data_type", "string"}, {"comment", "string"}};
  const auto line = [](const catalog::Column& column) {
    return fmt::format("{}\t{}\t{}", padded(column.name), padded(column.type),
                       padded(column.comment));
  };
  if (table.storage)
    for (const auto& column : table.storage->columns) made.lines.push_back(line(column));
  for (const auto& column : table.partition_keys) made.lines.push_back(line(column));
  if (table.partition_keys.empty()) return made;
  made.lines.insert(made.lines.end(), {"\t \t ", "# Partition Information\t \t ",
                                       fmt::format("{}\t{}\t{}", padded("# col_name"),
                                                   padded("data_type"), padded("comment")),
                                       "\t \t "});
  for (const auto& column : table.partition_keys) made.lines.push_back(line(column));
  return made;
}

}  // namespace

std::optional<Refusal> refuse_early(const catalog::Catalog& catalog,
                                    const sql::ParsedStatement& statement,
                                    const std::string& database) {
  using sql::StatementKind;
  if (statement.kind != StatementKind::describe && statement.kind != StatementKind::show_columns)
    return std::nullopt;
  const Name name = name_of(statement, database);
  if (catalog.find_table(name.database, name.table)) return std::nullopt;
  Refusal refusal;
  refusal.message = fmt::format(
      "FAILED: SemanticException Unable to fetch table {}. Entity Not Found (Service: "
      "AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID: "
      "unknown; Proxy: null)",
      name.table);
  return refusal;
}

Result<MetadataAnswer> answer_metadata(const catalog::Catalog& catalog,
                                       const sql::ParsedStatement& statement,
                                       const std::string& database) {
  using sql::StatementKind;
  const Name name = name_of(statement, database);
  MetadataAnswer made;
  if (statement.kind == StatementKind::show_databases) {
    made.columns = {{"database_name", "string"}};
    const auto databases = catalog.list_databases();
    if (!databases) return fail(databases.error());
    for (const auto& each : *databases)
      if (matches(statement.pattern, each.name)) made.lines.push_back(each.name);
    return made;
  }
  if (statement.kind == StatementKind::show_tables) {
    made.columns = {{"tab_name", "string"}};
    if (!catalog.find_database(name.database))
      return fail(
          ErrorKind::invalid,
          fmt::format("FAILED: SemanticException [Error 10072]: Database does not exist: {}",
                      name.database));
    const auto tables = catalog.list_tables(name.database);
    if (!tables) return fail(tables.error());
    for (const auto& each : *tables)
      if (matches(statement.pattern, each.name)) made.lines.push_back(each.name);
    return made;
  }

  const auto table = catalog.find_table(name.database, name.table);
  if (!table) return no_table(name);
  if (statement.kind == StatementKind::describe) return describe(*table);
  if (statement.kind == StatementKind::show_columns) {
    made.columns = {{"field", "string"}};
    if (table->storage)
      for (const auto& column : table->storage->columns) made.lines.push_back(padded(column.name));
    for (const auto& column : table->partition_keys) made.lines.push_back(padded(column.name));
    return made;
  }
  made.columns = {{"partition", "string"}};
  if (table->partition_keys.empty())
    return fail(
        ErrorKind::invalid,
        fmt::format("FAILED: Execution Error, return code 1 from "
                    "org.apache.hadoop.hive.ql.exec.DDLTask. Table {} is not a partitioned table",
                    name.table));
  const auto page = catalog.partitions(name.database, name.table);
  if (!page) return fail(page.error());
  for (const auto& partition : page->partitions) {
    std::string line;
    for (size_t i = 0; i < partition.values.size() && i < table->partition_keys.size(); ++i)
      line +=
          fmt::format("{}{}={}", i ? "/" : "", table->partition_keys[i].name, partition.values[i]);
    made.lines.push_back(std::move(line));
  }
  return made;
}

}  // namespace laketap::query
