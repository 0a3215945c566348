// Runs the recorded cases against our parser, checker, printer and DuckDB, and says which share
// passes.
//
//     conformance [--update] [--show] [FILE[:LINE] ...]
//
// failing.txt beside this file lists the cases that do not pass; it may only shrink. A case that
// fails without being listed makes the run fail, and so does a listed case that passes (take it
// out, or run with --update).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "cases.h"
#include "worker/session.h"

namespace laketap::sqltest {
namespace {

constexpr std::chrono::seconds kQueryMax{10};
const std::string kFolder = LAKETAP_SOURCE_DIR "/tests/sql/";

struct Outcome {
  bool failed = false;
  std::string error;  // "NAME: line 1:2: text"
  std::string names, types, sql;
  std::vector<std::string> rows;
};

// Interrupts a query that takes too long.
class Watch {
 public:
  explicit Watch(worker::Session& session)
      : session_(session), thread_([this](std::stop_token stop) { run(stop); }) {}
  ~Watch() { thread_.request_stop(); }
  void begin() {
    until_ = (std::chrono::steady_clock::now() + kQueryMax).time_since_epoch().count();
  }
  void end() { until_ = 0; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const int64_t until = until_;
      if (until != 0 && std::chrono::steady_clock::now().time_since_epoch().count() > until)
        session_.interrupt();
    }
  }
  worker::Session& session_;
  std::atomic<int64_t> until_ = 0;
  std::jthread thread_;
};

bool shown_as_text(const sql::Type& type) {
  return type.is_text() || type.is(sql::Kind::json) || type.is(sql::Kind::uuid);
}

Outcome run(const Case& one, const Tables& tables, worker::Session& session, Watch& watch) {
  Outcome out;
  const auto failed = [&](std::string error) {
    out.failed = true;
    out.error = std::move(error);
    return out;
  };
  const auto parsed = sql::parse(one.sql);
  if (!parsed) return failed(parsed.error().text());
  sql::Session context;
  context.schema = "conformance";
  context.now = Timestamp{std::chrono::microseconds{1764072000000000}};
  const auto checked = sql::check(*parsed, tables, context);
  if (!checked) return failed(checked.error().text());

  engine::Statement statement;
  statement.style = engine::Style::trino;
  statement.sql =
      sql::print_duckdb(*checked, [](const sql::UsedTable& table) { return table.scan; });
  out.sql = statement.sql;
  for (const sql::UsedTable& table : checked->tables) {
    const DataTable& data = tables.at(table.table);
    engine::Scan scan{.name = table.scan, .columns = data.columns};
    scan.files.push_back({.path = data.path});
    statement.scans.push_back(std::move(scan));
  }
  for (const sql::OutputColumn& column : checked->columns) {
    statement.columns.push_back({column.name, sql::to_string(column.type)});
    out.names += (out.names.empty() ? "" : " | ") + column.name;
    // The protocol writes the two interval types in capitals.
    const char* interval = column.type.is(sql::Kind::interval_day)    ? "INTERVAL DAY TO SECOND"
                           : column.type.is(sql::Kind::interval_year) ? "INTERVAL YEAR TO MONTH"
                                                                      : nullptr;
    out.types += (out.types.empty() ? "" : " | ") +
                 (interval ? std::string(interval) : sql::to_string(column.type));
  }
  watch.begin();
  const auto ran = session.run(std::move(statement), [&](engine::RowBatch batch) {
    for (size_t row = 0; row < batch.rows(); ++row) {
      std::string line;
      for (size_t i = 0; i < batch.columns; ++i)
        line += (i > 0 ? " | " : "") + field_text(batch.values[row * batch.columns + i],
                                                  shown_as_text(checked->columns[i].type));
      out.rows.push_back(std::move(line));
    }
    return out.rows.size() < 100'000;
  });
  watch.end();
  if (!ran) return failed(ran.error().what);
  if (one.unordered) std::ranges::sort(out.rows);
  return out;
}

// The place in "NAME: line L:C: text"; "" when there is none.
std::string place_of(const std::string& error) {
  const size_t at = error.find("line ");
  if (at == std::string::npos || at > 60) return "";
  const size_t colon = error.find(':', at);
  return colon == std::string::npos ? "" : error.substr(at, error.find(':', colon + 1) - at);
}

enum class Level {
  nothing,
  place,
  whole
};  // Of errors: their name and place are right, or every word.

Level judge(const Case& one, const Outcome& out) {
  if (one.fails != out.failed) return Level::nothing;
  if (one.fails) {
    const std::string wanted = one.error_name + ": " + one.error_text;
    if (out.error == wanted) return Level::whole;
    return out.error.starts_with(one.error_name + ":") && place_of(wanted) == place_of(out.error)
               ? Level::place
               : Level::nothing;
  }
  if (out.names != one.names || out.types != one.types || out.rows.size() != one.rows.size())
    return Level::nothing;
  std::vector<std::string> wanted = one.rows;
  if (one.unordered) std::ranges::sort(wanted);
  for (size_t i = 0; i < wanted.size(); ++i)
    if (out.rows[i] != wanted[i] && !(one.approximate && nearly_equal(out.rows[i], wanted[i])))
      return Level::nothing;
  return Level::whole;
}

void show(const Case& one, const Outcome& out) {
  fmt::print("\n{}\n{}\n", one.id(), one.sql);
  if (one.fails) fmt::print("  wanted {}: {}\n", one.error_name, one.error_text);
  if (out.failed) fmt::print("  got    {}\n", out.error);
  if (!one.fails && !out.failed) {
    if (out.names != one.names) fmt::print("  names  {}\n  got    {}\n", one.names, out.names);
    if (out.types != one.types) fmt::print("  types  {}\n  got    {}\n", one.types, out.types);
    if (out.rows.size() != one.rows.size())
      fmt::print("  {} rows, got {}\n", one.rows.size(), out.rows.size());
    std::vector<std::string> wanted = one.rows;
    if (one.unordered) std::ranges::sort(wanted);
    for (size_t i = 0, told = 0; i < std::min(wanted.size(), out.rows.size()) && told < 3; ++i)
      if (out.rows[i] != wanted[i])
        ++told, fmt::print("  row {}  {}\n  got    {}\n", i + 1, wanted[i], out.rows[i]);
  } else if (one.fails && !out.failed) {
    for (size_t i = 0; i < std::min<size_t>(out.rows.size(), 3); ++i)
      fmt::print("  got    {}\n", out.rows[i]);
  }
  if (!out.sql.empty()) fmt::print("  sql    {}\n", out.sql.substr(0, 1500));
}

std::set<std::string> read_failing() {
  std::set<std::string> out;
  std::ifstream in(kFolder + "failing.txt");
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') out.insert(line);
  return out;
}

void write_failing(const std::vector<std::string>& failing) {
  std::ofstream file(kFolder + "failing.txt");
  file << "# Cases of tests/sql/trino that do not pass yet, as FILE:LINE. May only shrink; "
          "`conformance --update` takes out what passes.\n";
  for (const std::string& id : failing) file << id << '\n';
}

struct Tally {
  size_t cases = 0, passed = 0, answers = 0, answers_right = 0, errors = 0, places_right = 0,
         texts_right = 0;
  void add(const Tally& other) {
    cases += other.cases, passed += other.passed, answers += other.answers,
        answers_right += other.answers_right;
    errors += other.errors, places_right += other.places_right, texts_right += other.texts_right;
  }
  void print(const std::string& name) const {
    const auto share = [](size_t part, size_t of) {
      return of == 0 ? std::string("-")
                     : fmt::format("{}/{} {:.0f}%", part, of,
                                   100.0 * static_cast<double>(part) / static_cast<double>(of));
    };
    fmt::print("{:<22} {:>16} {:>18} {:>22} {:>18}\n", name, share(passed, cases),
               share(answers_right, answers), share(places_right, errors),
               share(texts_right, errors));
  }
};

int main_of(std::vector<std::string> arguments) {
  const bool update = std::erase(arguments, "--update") > 0;
  const bool shows = std::erase(arguments, "--show") > 0;
  const std::string trino = kFolder + "trino/";
  auto session = worker::Session::open({.library = worker::find_library("")});
  if (!session) {
    fmt::print("{}\n", session.error().what);
    return 2;
  }
  Watch watch(**session);
  const Tables tables(read_tables(trino + "data"));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(trino))
    if (entry.path().extension() == ".test") files.push_back(entry.path().string());
  std::ranges::sort(files);
  const std::set<std::string> listed = read_failing();
  std::vector<std::string> failing, unexpected, mended;
  Tally total;
  fmt::print("{:<22} {:>16} {:>18} {:>22} {:>18}\n", "file", "pass", "answers",
             "errors: name, place", "every word");
  for (const std::string& file : files) {
    Tally tally;
    for (const Case& one : read_cases(file)) {
      const auto wanted = [&](const std::string& argument) {
        return argument == one.file || argument == one.id();
      };
      if (!arguments.empty() && std::ranges::none_of(arguments, wanted)) continue;
      const Outcome out = run(one, tables, **session, watch);
      const Level level = judge(one, out);
      ++tally.cases;
      tally.passed += level == Level::whole;
      if (one.fails)
        ++tally.errors, tally.places_right += level != Level::nothing,
            tally.texts_right += level == Level::whole;
      else
        ++tally.answers, tally.answers_right += level == Level::whole;
      if (level != Level::whole) failing.push_back(one.id());
      if (level != Level::whole && !listed.contains(one.id())) unexpected.push_back(one.id());
      if (level == Level::whole && listed.contains(one.id())) mended.push_back(one.id());
      if (shows && level != Level::whole) show(one, out);
    }
    if (tally.cases > 0) tally.print(file.substr(trino.size(), file.size() - trino.size() - 5));
    total.add(tally);
    std::fflush(stdout);
  }
  total.print("all");
  if (update && arguments.empty()) {
    write_failing(failing);
    fmt::print("failing.txt: {} cases\n", failing.size());
    return 0;
  }
  for (const std::string& id : unexpected) fmt::print("fails, and is not in failing.txt: {}\n", id);
  for (const std::string& id : mended) fmt::print("passes: take it out of failing.txt: {}\n", id);
  return unexpected.empty() && mended.empty() ? 0 : 1;
}

}  // namespace
}  // namespace laketap::sqltest

int main(int count, char** values) {
  return laketap::sqltest::main_of({values + 1, values + count});
}
