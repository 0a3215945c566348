#include "sql/sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

struct Kinds {
  StatementKind kind;
  const char* type;
  const char* substatement;
};

// By the first words, as Athena names statements.
Kinds classify(const Parser& parser) {
  size_t at = 0;
  while (parser.sees_symbol("(", at)) ++at;
  const auto is = [&](std::string_view word, size_t ahead = 0) {
    return parser.sees(word, at + ahead);
  };
  if (at > 0 || is("SELECT") || is("WITH") || is("VALUES") || is("TABLE"))
    return {StatementKind::select, "DML", "SELECT"};
  if (is("SHOW") && (is("DATABASES", 1) || is("SCHEMAS", 1)))
    return {StatementKind::show_databases, "UTILITY", "SHOW_DATABASES"};
  if (is("SHOW") && is("TABLES", 1)) return {StatementKind::show_tables, "UTILITY", "SHOW_TABLES"};
  if (is("SHOW") && is("COLUMNS", 1))
    return {StatementKind::show_columns, "UTILITY", "SHOW_COLUMNS"};
  if (is("SHOW") && is("PARTITIONS", 1))
    return {StatementKind::show_partitions, "UTILITY", "SHOW_PARTITIONS"};
  if (is("DESCRIBE") || is("DESC")) return {StatementKind::describe, "UTILITY", "DESCRIBE_TABLE"};
  if (is("SHOW"))
    return {StatementKind::unsupported, "UTILITY",
            is("CREATE", 1) ? "SHOW_CREATE_TABLE" : "SHOW_TABLE_PROPERTIES"};
  if (is("INSERT")) return {StatementKind::unsupported, "DML", "INSERT"};
  if (is("EXPLAIN")) return {StatementKind::unsupported, "DML", "EXPLAIN"};
  if (is("UPDATE")) return {StatementKind::unsupported, "DML", "UPDATE"};
  if (is("DELETE")) return {StatementKind::unsupported, "DML", "DELETE"};
  if (is("MERGE")) return {StatementKind::unsupported, "DML", "MERGE"};
  if (is("UNLOAD")) return {StatementKind::unsupported, "DML", "UNLOAD"};
  if (is("CREATE")) {
    if (is("DATABASE", 1) || is("SCHEMA", 1))
      return {StatementKind::unsupported, "DDL", "CREATE_DATABASE"};
    if (is("VIEW", 1) || is("OR", 1)) return {StatementKind::unsupported, "DDL", "CREATE_VIEW"};
    return {StatementKind::unsupported, "DDL", "CREATE_TABLE"};
  }
  if (is("DROP"))
    return {StatementKind::unsupported, "DDL",
            is("VIEW", 1)    ? "DROP_VIEW"
            : is("TABLE", 1) ? "DROP_TABLE"
                             : "DROP_DATABASE"};
  if (is("ALTER")) return {StatementKind::unsupported, "DDL", "ALTER_TABLE_PROPERTIES"};
  if (is("MSCK")) return {StatementKind::unsupported, "DDL", "MSCK_REPAIR"};
  if (is("PREPARE") || is("DEALLOCATE")) return {StatementKind::unsupported, "DDL", "PREPARE"};
  if (is("EXECUTE")) return {StatementKind::unsupported, "DML", "SELECT"};
  return {StatementKind::unsupported, "", ""};
}

constexpr std::string_view kStatementWords =
    "'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DENY', "
    "'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', "
    "'REFRESH', 'RESET', 'REVOKE', 'ROLLBACK', 'SET', 'SHOW', 'START', 'TRUNCATE', 'UPDATE', "
    "'USE', <query>";

// DuckDB's moments have no zone: where another than UTC is to be shown, the column is written as
// text here.
std::string shown_in_zones(Analyzer& analyzer, const Printed& printed) {
  std::string items;
  bool any = false;
  for (size_t i = 0; i < printed.columns.size(); ++i) {
    const Value column{printed.columns[i].type, fmt::format("c{}", i)};
    const bool zoned = !column.type.zone.empty();
    any = any || zoned;
    items += fmt::format(
        "{}{} AS c{}", i > 0 ? ", " : "",
        zoned ? analyzer.cast_value(column, Type::varchar(), false, {}).sql : column.sql, i);
  }
  return any ? fmt::format("SELECT {} FROM ({}) AS shown", items, printed.sql) : printed.sql;
}

void parse_metadata(Parser& parser, ParsedStatement& made) {
  const auto pattern = [&] {
    parser.take("LIKE");
    if (parser.token().kind == TokenKind::text) {
      made.pattern = parser.token().text;
      parser.advance();
    }
  };
  if (made.kind == StatementKind::describe) {
    parser.advance();
    parser.take("EXTENDED");
    parser.take("FORMATTED");
    made.name = {};
    for (const Identifier& part : parser.qualified_name(true))
      made.name.push_back(lower(part.text));
  } else {
    parser.advance();
    parser.advance();
    if (made.kind == StatementKind::show_partitions) {
      for (const Identifier& part : parser.qualified_name(true))
        made.name.push_back(lower(part.text));
    } else {
      while (parser.take("IN") || parser.take("FROM")) {
        std::vector<std::string> parts;
        for (const Identifier& part : parser.qualified_name(true))
          parts.push_back(lower(part.text));
        // SHOW COLUMNS IN t IN db.
        made.name.insert(made.name.begin(), parts.begin(), parts.end());
      }
      pattern();
    }
  }
  if (!parser.at_end()) parser.mismatch("<EOF>");
}

}  // namespace

std::string Problem::text() const {
  if (line == 0) return fmt::format("{}: {}", name, message);
  return fmt::format("{}: line {}:{}: {}", name, line, column, message);
}

std::expected<ParsedStatement, Problem> parse(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  // One statement: what follows a semicolon must be nothing.
  for (size_t i = 0; i + 1 < tokens->size(); ++i) {
    if ((*tokens)[i].kind != TokenKind::symbol || (*tokens)[i].text != ";") continue;
    if (i == 0)
      return std::unexpected(
          Problem{"SYNTAX_ERROR", "Empty sql statement: " + trimmed(text), 0, 0});
    if ((*tokens)[i + 1].kind != TokenKind::end)
      return std::unexpected(Problem{
          "SYNTAX_ERROR", "Only one sql statement is allowed. Got: " + trimmed(text), 0, 0});
    text = text.substr(0, (*tokens)[i].offset);
    tokens->erase(tokens->begin() + static_cast<std::ptrdiff_t>(i));
    tokens->back().at = (*tokens)[i].at;
    break;
  }
  ParsedStatement made;
  made.text = trimmed(text);
  Parser parser(std::move(*tokens), text);
  try {
    const Kinds kinds = classify(parser);
    made.kind = kinds.kind;
    made.statement_type = kinds.type;
    made.substatement_type = kinds.substatement;
    if (made.statement_type.empty()) parser.mismatch(kStatementWords);
    if (made.kind == StatementKind::select)
      made.query = parser.whole_query();
    else if (made.kind != StatementKind::unsupported)
      parse_metadata(parser, made);
  } catch (const Thrown& thrown) {
    return std::unexpected(thrown.problem);
  }
  return made;
}

std::expected<CheckedQuery, Problem> check(const ParsedStatement& statement,
                                           const CatalogView& catalog, const Session& session) {
  if (!statement.query)
    return std::unexpected(
        Problem{"NOT_SUPPORTED", "Queries of this type are not supported", 0, 0});
  try {
    Analyzer analyzer(catalog, session);
    const Printed printed = analyzer.query(*statement.query, nullptr);
    CheckedQuery made;
    for (size_t i = 0; i < printed.columns.size(); ++i)
      made.columns.push_back(
          {printed.columns[i].name.value_or(fmt::format("_col{}", i)), printed.columns[i].type});
    made.tables = analyzer.tables;
    made.duckdb = shown_in_zones(analyzer, printed);
    made.deterministic = analyzer.deterministic;
    return made;
  } catch (const Thrown& thrown) {
    return std::unexpected(thrown.problem);
  }
}

std::string print_duckdb(const CheckedQuery& query,
                         const std::function<std::string(const UsedTable&)>& scan_name) {
  std::string out = query.duckdb;
  for (const UsedTable& table : query.tables) {
    // Our own text, written once for each table by analyze_relation.cc; a user's text literal
    // cannot hold it unescaped.
    const std::string from = fmt::format("laketap_scan('{}')", table.scan);
    const std::string to = fmt::format("laketap_scan({})", quote_text(scan_name(table)));
    if (from == to) continue;
    for (size_t at = out.find(from); at != std::string::npos; at = out.find(from, at + to.size()))
      out.replace(at, from.size(), to);
  }
  return out;
}

}  // namespace laketap::sql
