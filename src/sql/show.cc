// Expressions as text, and what stands in them.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

bool any(const Expr& expr, bool (*test)(const Expr&)) {
  if (test(expr)) return true;
  for (const ExprPtr& one : expr.args)
    if (one && any(*one, test)) return true;
  for (const SortItem& item : expr.order_by)
    if (any(*item.key, test)) return true;
  if (expr.filter && any(*expr.filter, test)) return true;
  if (expr.over) {
    for (const ExprPtr& one : expr.over->partition_by)
      if (any(*one, test)) return true;
    for (const SortItem& item : expr.over->order_by)
      if (any(*item.key, test)) return true;
  }
  return false;
}
}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0') {  // DuckDB's text literals end at NUL.
      out += "' || chr(0) || '";
      continue;
    }
    out += c == '\'' ? std::string("''") : std::string(1, c);
  }
  out += "'";
  return out.find("chr(0)") == std::string::npos ? out : "(" + out + ")";
}

std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

bool has_aggregate(const Expr& expr) {
  return any(expr, [](const Expr& one) {
    return one.op == Op::call && !one.over &&
           (is_aggregate(lower(one.text)) || lower(one.text) == "grouping" ||
            lower(one.text) == "listagg");
  });
}
bool has_window(const Expr& expr) {
  return any(expr, [](const Expr& one) { return one.op == Op::call && one.over; });
}

std::vector<const Expr*> beyond_a_row(const Expr& expr) {
  const std::string name = expr.op == Op::call ? lower(expr.text) : "";
  if (expr.op == Op::call &&
      (expr.over || is_aggregate(name) || name == "grouping" || name == "listagg"))
    return {&expr};
  std::vector<const Expr*> out;
  for (const ExprPtr& one : expr.args)
    if (one) std::ranges::copy(beyond_a_row(*one), std::back_inserter(out));
  return out;
}
std::string struct_field(const Type& row, size_t index) {
  return quote_name(row.names[index] ? *row.names[index] : fmt::format("field{}", index));
}

static std::string show_window(const Window& window) {
  if (window.base && window.partition_by.empty() && window.order_by.empty())
    return window.base->text;
  std::string out;
  for (const ExprPtr& one : window.partition_by)
    out += (out.empty() ? "PARTITION BY " : ", ") + show(*one);
  bool first = true;
  for (const SortItem& item : window.order_by) {
    out += first ? (out.empty() ? "ORDER BY " : " ORDER BY ") : ", ";
    out += show(*item.key) + (item.descending ? " DESC" : " ASC") +
           (item.nulls_first ? (*item.nulls_first ? " NULLS FIRST" : " NULLS LAST") : "");
    first = false;
  }
  return "(" + out + ")";
}

std::string show(const Expr& expr) {
  const auto list = [&] {
    std::string out;
    for (size_t i = 0; i < expr.args.size(); ++i) out += (i > 0 ? ", " : "") + show(*expr.args[i]);
    return out;
  };
  switch (expr.op) {
    case Op::identifier: return expr.names.front().quoted ? quote_name(expr.text) : expr.text;
    case Op::dereference: return show(*expr.args[0]) + "." + expr.text;
    case Op::text: return quote_text(expr.text);
    case Op::integer:
    case Op::decimal:
    case Op::floating:
    case Op::boolean: return expr.text;
    case Op::null: return "null";
    case Op::star: return "*";
    case Op::arithmetic:
    case Op::compare:
      return fmt::format("({} {} {})", show(*expr.args[0]), expr.text, show(*expr.args[1]));
    case Op::logical_and:
    case Op::logical_or: {
      std::string out;
      for (const ExprPtr& one : expr.args)
        out += (out.empty() ? "" : " " + expr.text + " ") + show(*one);
      return "(" + out + ")";
    }
    case Op::row: return fmt::format("ROW ({})", list());
    case Op::call:
      return fmt::format("{}({}{}){}", expr.text, expr.distinct ? "DISTINCT " : "", list(),
                         expr.over ? " OVER " + show_window(*expr.over) : "");
    case Op::cast: return fmt::format("CAST({} AS {})", show(*expr.args[0]), expr.text);
    default: return list();
  }
}

}  // namespace laketap::sql
