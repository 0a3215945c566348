// query_bench FOLDER [ROWS]: the guide's queries over raw JSON, by our scan and by DuckDB's
// read_json with typed columns, in one process and in turn. Makes the data in FOLDER when absent.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "worker/duck.h"
#include "worker/scan.h"
#include "worker/session.h"

namespace {

using namespace laketap;
namespace fs = std::filesystem;

constexpr size_t kFiles = 217;
constexpr int kRounds = 5;

void make_data(const fs::path& folder, size_t rows) {
  fs::create_directories(folder);
  std::mt19937_64 random(7);
  const auto pick = [&](const auto& words) { return words[random() % std::size(words)]; };
  const std::string_view countries[] = {"US", "DE", "FR", "IN", "BR", "JP", "GB", "CA"};
  const std::string_view genders[] = {"male", "female", "other"};
  const std::string_view sources[] = {"organic", "search", "social", "referral"};
  const std::string_view types[] = {"view", "cart", "checkout", "search"};
  const std::string_view products[] = {"phone", "laptop", "headphones", "camera",
                                       "a very comfortable chair"};
  for (size_t file = 0; file < kFiles; ++file) {
    std::ofstream out(folder / fmt::format("part-{:04}.json", file));
    std::string text;
    for (size_t row = file; row < rows; row += kFiles)
      fmt::format_to(std::back_inserter(text),
                     "{{\"customerId\":\"{:08x}-{:04x}\",\"ipAddress\":\"{}.{}.{}.{}\","
                     "\"countryCode\":\"{}\",\"gender\":\"{}\",\"trafficOrigin\":\"{}\","
                     "\"event\":{{\"type\":\"{}\",\"product\":\"{}\",\"amount\":{}}},\"session\":"
                     "\"{:016x}{:016x}\"}}\n",
                     random() & 0xFFFFFFFF, random() & 0xFFFF, random() % 256, random() % 256,
                     random() % 256, random() % 256, pick(countries), pick(genders), pick(sources),
                     pick(types), pick(products), random() % 500, random(), random());
    out << text;
  }
}

struct Question {
  const char* name;
  const char* sql;  // {} is the table.
};
constexpr Question kQuestions[] = {
    {"count(*)", "SELECT count(*) FROM {}"},
    {"guide 2",
     "SELECT count(customerid), gender FROM {} WHERE countrycode = 'US' GROUP BY gender ORDER BY "
     "2"},
    {"guide 3",
     "SELECT count(customerid), event.product FROM {} WHERE event.type = 'checkout' GROUP BY "
     "event.product ORDER BY 2"},
};

const worker::Duck* duck = nullptr;
duckdb_connection connection = nullptr;

double seconds_of(const std::string& sql) {
  const auto start = std::chrono::steady_clock::now();
  duckdb_result result;
  if (duck->query(connection, sql.c_str(), &result) == DuckDBError) {
    fmt::print(stderr, "{}\n", duck->result_error(&result));
    std::exit(1);
  }
  duck->destroy_result(&result);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: query_bench FOLDER [ROWS]\n"), 2;
  const fs::path folder = argv[1];
  const size_t rows = argc > 2 ? std::stoull(argv[2]) : 5'000'000;
  if (!fs::exists(folder)) make_data(folder, rows);

  const auto loaded = worker::load_duck(worker::find_library(""));
  if (!loaded) return fmt::print(stderr, "{}\n", loaded.error().what), 1;
  duck = *loaded;
  duckdb_config config;
  duckdb_database database;
  duck->create_config(&config);
  duck->set_config(config, "threads", "2");
  if (duck->open_ext(nullptr, &database, config, nullptr) != DuckDBSuccess ||
      duck->connect(database, &connection) != DuckDBSuccess)
    return 1;

  engine::Scan scan;
  scan.name = "t0";
  scan.columns = {
      {"customerid", "string"},    {"ipaddress", "string"},
      {"countrycode", "string"},   {"gender", "string"},
      {"trafficorigin", "string"}, {"event", "struct<type:string,product:string,amount:int>"}};
  for (const auto& entry : fs::directory_iterator(folder)) {
    engine::ScanFile file;
    file.path = file.name = entry.path();
    file.bytes = entry.file_size();
    scan.files.push_back(std::move(file));
  }
  worker::ScanCounters counters;
  worker::Tables tables;
  auto table = worker::prepare_table(scan, counters);
  if (!table) return 1;
  tables.by_name["t0"] = std::move(*table);
  if (!worker::register_scan(*duck, connection, tables)) return 1;

  // read_json matches names with case, so it gets the keys as they are written.
  const std::string theirs = fmt::format(
      "read_json('{}/*.json', format='newline_delimited', "
      "columns={{customerId:'VARCHAR',ipAddress:'VARCHAR',countryCode:'VARCHAR',gender:'VARCHAR',"
      "trafficOrigin:'VARCHAR',event:'STRUCT(\"type\" VARCHAR, product VARCHAR, amount "
      "INTEGER)'}})",
      folder.string());
  fmt::print("{:10} {:>12} {:>12} {:>7}\n", "query", "laketap ms", "read_json ms", "ratio");
  for (const Question& question : kQuestions) {
    double ours_best = 1e9, theirs_best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
      ours_best = std::min(
          ours_best, seconds_of(fmt::format(fmt::runtime(question.sql), "laketap_scan('t0')")));
      theirs_best =
          std::min(theirs_best, seconds_of(fmt::format(fmt::runtime(question.sql), theirs)));
    }
    fmt::print("{:10} {:12.0f} {:12.0f} {:7.2f}\n", question.name, ours_best * 1000,
               theirs_best * 1000, theirs_best / ours_best);
  }
}
