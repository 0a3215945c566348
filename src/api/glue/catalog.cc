// Databases, tables and table versions.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "api/glue/doors.h"

namespace laketap::api::glue {
namespace {

constexpr size_t kPageMax = 100;
constexpr uint32_t kMatchStepsMax = 100'000;

// GetTables' Expression is a regular expression over the whole name; awswrangler sends globs, where
// `*` follows nothing.
std::string as_pattern(const std::string& expression) {
  std::string out;
  for (size_t i = 0; i < expression.size(); ++i) {
    const bool glob =
        expression[i] == '*' &&
        (i == 0 || std::string_view(".])").find(expression[i - 1]) == std::string_view::npos);
    out += glob ? std::string(".*") : std::string(1, expression[i]);
  }
  return out;
}

// A pattern over whole names, in any case. Matching ends after a number of steps, as no match.
class NamePattern {
 public:
  static std::optional<NamePattern> compile(const std::string& text) {
    int error = 0;
    PCRE2_SIZE at = 0;
    NamePattern made;
    made.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_CASELESS,
                                   &error, &at, nullptr));
    if (!made.code_) return std::nullopt;
    made.data_.reset(pcre2_match_data_create_from_pattern(made.code_.get(), nullptr));
    made.context_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(made.context_.get(), kMatchStepsMax);
    return made;
  }
  bool matches(const std::string& name) const {
    return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(name.data()), name.size(), 0, 0,
                       data_.get(), context_.get()) >= 0;
  }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
  std::unique_ptr<pcre2_match_context, Free> context_;
};

std::optional<uint64_t> version_of(const std::string& text) {
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return version;
}

class Doors {
 public:
  explicit Doors(catalog::Catalog& catalog) : catalog_(catalog) {}

  Answer<model::CreateDatabaseResponse> create_database(const Call& call,
                                                        model::CreateDatabaseRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    if (input.tags && !input.tags->empty())
      return wire::refuse("NotImplemented", 501, "Tags of databases are not kept (docs/gaps.md)");
    const Result<> done = catalog_.create_database(from_model(input.database_input));
    if (!done) return to_fault(done.error());
    return model::CreateDatabaseResponse{};
  }
  Answer<model::GetDatabaseResponse> get_database(const Call& call,
                                                  model::GetDatabaseRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<catalog::Database> found = catalog_.find_database(input.name);
    if (!found) return to_fault(found.error());
    return model::GetDatabaseResponse{.database = to_model(*found, call.account)};
  }
  Answer<model::GetDatabasesResponse> get_databases(const Call& call,
                                                    model::GetDatabasesRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const auto all = catalog_.list_databases();
    if (!all) return to_fault(all.error());
    const Answer<Slice> page = slice(all->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::GetDatabasesResponse output;
    for (size_t i = page->begin; i < page->end; ++i)
      output.database_list.push_back(to_model((*all)[i], call.account));
    output.next_token = page->next;
    return output;
  }
  Answer<model::UpdateDatabaseResponse> update_database(const Call& call,
                                                        model::UpdateDatabaseRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<> done = catalog_.update_database(input.name, from_model(input.database_input));
    if (!done) return to_fault(done.error());
    return model::UpdateDatabaseResponse{};
  }
  Answer<model::DeleteDatabaseResponse> delete_database(const Call& call,
                                                        model::DeleteDatabaseRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<> done = catalog_.remove_database(input.name);
    if (!done) return to_fault(done.error());
    return model::DeleteDatabaseResponse{};
  }

  Answer<model::CreateTableResponse> create_table(const Call& call,
                                                  model::CreateTableRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    if (!input.table_input)
      return wire::refuse("InvalidInputException", 400, "TableInput must be given.");
    if ((input.partition_indexes && !input.partition_indexes->empty()) ||
        input.open_table_format_input)
      return wire::refuse(
          "NotImplemented", 501,
          "CreateTable with PartitionIndexes or OpenTableFormatInput is not served");
    catalog::Table table = from_model(*input.table_input, input.database_name);
    table.created_by = call.caller_arn;
    const Result<> done = catalog_.create_table(std::move(table));
    if (!done) return to_fault(done.error());
    return model::CreateTableResponse{};
  }
  Answer<model::GetTableResponse> get_table(const Call& call, model::GetTableRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<catalog::Table> found = catalog_.find_table(input.database_name, input.name);
    if (!found) return to_fault(found.error());
    return model::GetTableResponse{.table = to_model(*found, call.account)};
  }
  Answer<model::GetTablesResponse> get_tables(const Call& call,
                                              model::GetTablesRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    auto all = catalog_.list_tables(input.database_name);
    if (!all) return to_fault(all.error());
    if (input.expression && !input.expression->empty()) {
      const std::optional<NamePattern> pattern =
          NamePattern::compile(as_pattern(*input.expression));
      if (!pattern)
        return wire::refuse("InvalidInputException", 400,
                            "Invalid expression: " + *input.expression);
      std::erase_if(*all,
                    [&](const catalog::Table& table) { return !pattern->matches(table.name); });
    }
    const Answer<Slice> page = slice(all->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::GetTablesResponse output;
    output.table_list.emplace();
    for (size_t i = page->begin; i < page->end; ++i)
      output.table_list->push_back(to_model((*all)[i], call.account));
    output.next_token = page->next;
    return output;
  }
  Answer<model::UpdateTableResponse> update_table(const Call& call,
                                                  model::UpdateTableRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    if (!input.table_input)
      return wire::refuse("InvalidInputException", 400, "TableInput must be given.");
    std::optional<uint64_t> expected;
    if (input.version_id) {
      expected = version_of(*input.version_id);
      if (!expected)
        return wire::refuse("InvalidInputException", 400,
                            "Invalid version id: " + *input.version_id);
    }
    const Result<> done = catalog_.update_table(from_model(*input.table_input, input.database_name),
                                                input.skip_archive.value_or(false), expected);
    if (!done) return to_fault(done.error());
    return model::UpdateTableResponse{};
  }
  Answer<model::DeleteTableResponse> delete_table(const Call& call,
                                                  model::DeleteTableRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<> done = catalog_.remove_table(input.database_name, input.name);
    if (!done) return to_fault(done.error());
    return model::DeleteTableResponse{};
  }
  Answer<model::BatchDeleteTableResponse> delete_tables(
      const Call& call, model::BatchDeleteTableRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    model::BatchDeleteTableResponse output;
    output.errors.emplace();
    for (const std::string& name : input.tables_to_delete) {
      const Result<> done = catalog_.remove_table(input.database_name, name);
      if (!done)
        output.errors->push_back(
            {.table_name = name,
             .error_detail = model::ErrorDetail{.error_code = error_code(done.error()),
                                                .error_message = done.error().what}});
    }
    return output;
  }

  Answer<model::GetTableVersionsResponse> get_versions(const Call& call,
                                                       model::GetTableVersionsRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const auto all = catalog_.versions(input.database_name, input.table_name);
    if (!all) return to_fault(all.error());
    const Answer<Slice> page = slice(all->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::GetTableVersionsResponse output;
    output.table_versions.emplace();
    for (size_t i = page->begin; i < page->end; ++i)
      output.table_versions->push_back({.table = to_model((*all)[i], call.account),
                                        .version_id = fmt::format("{}", (*all)[i].version)});
    output.next_token = page->next;
    return output;
  }
  Answer<model::GetTableVersionResponse> get_version(const Call& call,
                                                     model::GetTableVersionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const auto all = catalog_.versions(input.database_name, input.table_name);
    if (!all) return to_fault(all.error());
    for (const catalog::Table& table : *all)
      if (!input.version_id || *input.version_id == fmt::format("{}", table.version))
        return model::GetTableVersionResponse{
            .table_version = model::TableVersion{.table = to_model(table, call.account),
                                                 .version_id = fmt::format("{}", table.version)}};
    return wire::refuse("EntityNotFoundException", 400, "Version not found.");
  }
  Answer<model::DeleteTableVersionResponse> delete_version(
      const Call& call, model::DeleteTableVersionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const std::optional<uint64_t> version = version_of(input.version_id);
    if (!version)
      return wire::refuse("InvalidInputException", 400, "Invalid version id: " + input.version_id);
    const Result<> done = catalog_.remove_version(input.database_name, input.table_name, *version);
    if (!done) return to_fault(done.error());
    return model::DeleteTableVersionResponse{};
  }
  Answer<model::BatchDeleteTableVersionResponse> delete_versions(
      const Call& call, model::BatchDeleteTableVersionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    model::BatchDeleteTableVersionResponse output;
    output.errors.emplace();
    for (const std::string& id : input.version_ids) {
      const std::optional<uint64_t> version = version_of(id);
      const Result<> done =
          version ? catalog_.remove_version(input.database_name, input.table_name, *version)
                  : Result<>(fail(ErrorKind::invalid, "Invalid version id: " + id));
      if (!done)
        output.errors->push_back(
            {.table_name = input.table_name,
             .version_id = id,
             .error_detail = model::ErrorDetail{.error_code = error_code(done.error()),
                                                .error_message = done.error().what}});
    }
    return output;
  }

 private:
  catalog::Catalog& catalog_;
};

}  // namespace

void register_catalog(wire::Operations& operations, catalog::Catalog& catalog) {
  Hinges<Doors> hinges{operations, std::make_shared<const Doors>(catalog)};
  hinges.add("CreateDatabase", &Doors::create_database);
  hinges.add("GetDatabase", &Doors::get_database);
  hinges.add("GetDatabases", &Doors::get_databases);
  hinges.add("UpdateDatabase", &Doors::update_database);
  hinges.add("DeleteDatabase", &Doors::delete_database);
  hinges.add("CreateTable", &Doors::create_table);
  hinges.add("GetTable", &Doors::get_table);
  hinges.add("GetTables", &Doors::get_tables);
  hinges.add("UpdateTable", &Doors::update_table);
  hinges.add("DeleteTable", &Doors::delete_table);
  hinges.add("BatchDeleteTable", &Doors::delete_tables);
  hinges.add("GetTableVersions", &Doors::get_versions);
  hinges.add("GetTableVersion", &Doors::get_version);
  hinges.add("DeleteTableVersion", &Doors::delete_version);
  hinges.add("BatchDeleteTableVersion", &Doors::delete_versions);
}

}  // namespace laketap::api::glue
