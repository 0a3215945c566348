#include "cases.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

namespace laketap::sqltest {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// What stands after "----" or "====", up to the next of these or an empty line.
void read_outcome(Case& made, const std::vector<std::string>& lines, size_t& at) {
  made.fails = lines[at].starts_with("====");
  for (++at; at < lines.size() && !lines[at].empty() && !lines[at].starts_with("----") &&
             !lines[at].starts_with("====");
       ++at) {
    const std::string& line = lines[at];
    if (made.fails) {
      const size_t blanks = line.find("  ", 7);
      made.error_name = line.substr(7, blanks == std::string::npos ? blanks : blanks - 7);
      made.error_text = blanks == std::string::npos ? "" : line.substr(blanks + 2);
    } else if (line.starts_with("names:") && made.types.empty()) {
      made.names = line.size() > 7 ? line.substr(7) : "";
    } else if (line.starts_with("types:") && made.types.empty()) {
      made.types = line.substr(7);
    } else {
      made.rows.push_back(line);
    }
  }
}

}  // namespace

std::vector<Case> read_cases(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string file = path.substr(slash + 1, path.rfind('.') - slash - 1);
  const std::vector<std::string> lines = lines_of(path);
  std::vector<Case> out;
  for (size_t at = 0; at < lines.size();) {
    if (!lines[at].starts_with("query")) {
      ++at;
      continue;
    }
    Case made;
    made.file = file;
    made.line = at + 1;
    made.unordered = lines[at].find("unordered") != std::string::npos;
    made.approximate = lines[at].find("approx") != std::string::npos;
    for (++at; at < lines.size() && lines[at] != "----" && lines[at] != "===="; ++at)
      made.sql += (made.sql.empty() ? "" : "\n") + lines[at];
    if (at == lines.size()) break;
    read_outcome(made, lines, at);
    while (at < lines.size() && !lines[at].empty()) ++at;  // What newer servers give.
    out.push_back(std::move(made));
  }
  return out;
}

std::map<std::string, DataTable> read_tables(const std::string& folder) {
  std::ifstream in(folder + "/schema.json");
  std::stringstream text;
  text << in.rdbuf();
  std::map<std::string, DataTable> out;
  const boost::json::value all = boost::json::parse(text.str());
  for (const boost::json::value& one : all.at("tables").as_array()) {
    DataTable& table = out[boost::json::value_to<std::string>(one.at("name"))];
    table.path = folder + "/" + boost::json::value_to<std::string>(one.at("file"));
    for (const boost::json::value& column : one.at("columns").as_array())
      table.columns.push_back({boost::json::value_to<std::string>(column.at("name")),
                               boost::json::value_to<std::string>(column.at("type"))});
  }
  return out;
}

std::optional<sql::TableSchema> Tables::find_table(const std::string&, const std::string&,
                                                   const std::string& table) const {
  const auto found = tables_.find(table);
  if (found == tables_.end()) return std::nullopt;
  sql::TableSchema made;
  for (const engine::ColumnSpec& column : found->second.columns)
    made.columns.push_back({column.name, sql::from_hive(column.type).value_or(sql::Type())});
  return made;
}

std::string field_text(const engine::Value& value, bool is_text) {
  if (!value) return "NULL";
  if (!is_text) return *value;
  const std::string& text = *value;
  bool bare = !text.empty() && text != "NULL" && text.front() != ' ' && text.back() != ' ';
  for (const unsigned char c : text)
    bare = bare && c >= 0x20 && c != 0x7f && c != '\'' && c != '|' && c != '\\';
  if (bare && text.find("\u00a0") != std::string::npos) bare = false;
  if (bare) return text;
  std::string out = "'";
  for (const unsigned char c : text) {
    switch (c) {
      case '\'': out += "''"; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += c < 0x20 || c == 0x7f ? fmt::format("\\u{{{:x}}}", c)
                                     : std::string(1, static_cast<char>(c));
    }
  }
  return out + "'";
}

bool nearly_equal(const std::string& a, const std::string& b) {
  size_t i = 0;
  size_t j = 0;
  const auto is_number = [](const std::string& text, size_t at) {
    return std::isdigit(static_cast<unsigned char>(text[at])) ||
           (text[at] == '-' && at + 1 < text.size() &&
            std::isdigit(static_cast<unsigned char>(text[at + 1])));
  };
  while (i < a.size() && j < b.size()) {
    if (is_number(a, i) && is_number(b, j)) {
      size_t used_a = 0;
      size_t used_b = 0;
      const double x = std::stod(a.substr(i), &used_a);
      const double y = std::stod(b.substr(j), &used_b);
      if (std::abs(x - y) > 1e-9 * std::max({1.0, std::abs(x), std::abs(y)})) return false;
      i += used_a;
      j += used_b;
    } else {
      if (a[i++] != b[j++]) return false;
    }
  }
  return i == a.size() && j == b.size();
}

}  // namespace laketap::sqltest
