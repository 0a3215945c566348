#include "worker/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "worker/records.h"
#include "worker/source.h"
#include "worker/values.h"

namespace laketap::worker {
namespace {

bool is_true(const std::map<std::string, std::string>& parameters, const std::string& key,
             bool otherwise) {
  const auto found = parameters.find(key);
  if (found == parameters.end()) return otherwise;
  std::string text = found->second;
  for (char& c : text) c = static_cast<char>(c | 0x20);
  return text == "true";
}

SerdeRules rules_of(const engine::Scan& scan) {
  SerdeRules rules;
  const auto& given = scan.serde_parameters;
  rules.ignore_malformed = is_true(given, "ignore.malformed.json", false);
  rules.null_for_invalid = is_true(given, "use.null.for.invalid.data", false);
  rules.fold_keys = is_true(given, "case.insensitive", true);
  rules.dots_in_keys = is_true(given, "dots.in.keys", false);
  constexpr std::string_view kMapping = "mapping.";
  for (const auto& [key, value] : given)
    if (key.starts_with(kMapping)) rules.mappings[key.substr(kMapping.size())] = value;
  return rules;
}

bool is_readable(const sql::Type& type) {
  using sql::Kind;
  switch (type.kind) {
    case Kind::boolean:
    case Kind::tinyint:
    case Kind::smallint:
    case Kind::integer:
    case Kind::bigint:
    case Kind::real:
    case Kind::double_:
    case Kind::decimal:
    case Kind::varchar:
    case Kind::char_:
    case Kind::varbinary:
    case Kind::date:
    case Kind::timestamp: return true;
    case Kind::map:
      return type.parts[0].parts.empty() && is_readable(type.parts[0]) &&
             is_readable(type.parts[1]);
    case Kind::array:
    case Kind::row: return std::ranges::all_of(type.parts, is_readable);
    default: return false;
  }
}

// What DuckDB hands to each callback of one scan in one query.
struct Bound {
  Bound(const Duck* of, Table* read) : duck(of), table(read) {}
  const Duck* duck;
  Table* table;
};

// Shared by the threads of one scan.
struct Progress {
  std::vector<size_t>
      order;  // Of files: the largest first, so that no thread is left with it alone.
  std::vector<size_t> projected;  // Column numbers in the order of the output; kNoColumn for none.
  std::atomic<size_t> next = 0;
};
constexpr size_t kNoColumn = SIZE_MAX;
constexpr const char* kRecordColumn = "$record";  // No name of a table's column: those have no $.

// One thread's reading.
class Reader {
 public:
  Reader(const Duck& duck, Table& table, Progress& progress)
      : duck_(duck), table_(table), progress_(progress) {
    std::vector<std::string> names;
    std::vector<size_t> positions;
    for (size_t out = 0; out < progress.projected.size(); ++out) {
      const size_t column = progress.projected[out];
      if (column == kNoColumn) continue;
      auto sink = std::make_unique<Sink>(duck, table.types[column], table.rules, column);
      if (column >= table.scan.columns.size()) {
        constants_.push_back({out, column - table.scan.columns.size(), std::move(sink)});
      } else {
        names.push_back(table.scan.columns[column].name);
        columns_.push_back({out, column, std::move(sink)});
      }
    }
    keys_ = Keys(names, table.rules, true);
    seen_.resize(columns_.size());
  }

  // Fills `chunk` with rows of one file; leaves it empty at the end of all.
  Result<> fill(duckdb_data_chunk chunk) {
    for (auto& column : columns_) column.sink->bind(duck_.data_chunk_get_vector(chunk, column.out));
    const size_t room = duck_.vector_size();
    size_t rows = 0;
    while (rows == 0) {
      if (!records_) {
        const auto opened = open_next();
        if (!opened) return fail(opened.error());
        if (!*opened) break;
      }
      const Result<> read = read_rows(room, rows);
      if (!read) return read;
    }
    for (auto& column : columns_) column.sink->finish();
    if (rows > 0) {
      const Result<> filled = fill_constants(chunk, rows);
      if (!filled) return filled;
    }
    duck_.data_chunk_set_size(chunk, rows);
    return {};
  }

 private:
  struct Column {
    size_t out, number;
    std::unique_ptr<Sink> sink;
  };

  Result<bool> open_next() {
    const size_t turn = progress_.next.fetch_add(1);
    if (turn >= progress_.order.size()) return false;
    file_ = &table_.scan.files[progress_.order[turn]];
    auto source = open_source(*file_);
    if (!source) return fail(source.error());
    source_ = std::move(*source);
    records_ = std::make_unique<Records>(*source_, columns_.empty());
    counted_bytes_ = 0;
    return true;
  }

  // Reads up to `room` rows of the open file; closes it at its end.
  Result<> read_rows(size_t room, size_t& rows) {
    uint64_t malformed = 0;
    bool over = false;
    while (rows < room) {
      const auto found = records_->next(
          [&](Cursor& cursor, bool is_array) { return walk(cursor, is_array, rows); });
      if (!found) return fail(found.error());
      if (*found == Records::Found::end) {
        over = true;
        break;
      }
      if (*found == Records::Found::bad_value) return bad_value();
      if (*found == Records::Found::malformed) {
        if (!table_.rules.ignore_malformed) return malformed_record();
        for (auto& column : columns_) column.sink->write_null(rows);
        ++malformed;
      }
      ++rows;
    }
    table_.counters->rows += rows;
    table_.counters->malformed += malformed;
    table_.counters->bytes += source_->stored_bytes() - counted_bytes_;
    counted_bytes_ = source_->stored_bytes();
    if (over) {
      records_.reset();
      source_.reset();
    }
    return {};
  }

  Walked walk(Cursor& cursor, bool is_array, size_t row) {
    if (columns_.empty()) return cursor.skip_nested() ? Walked::ok : Walked::bad_syntax;
    ++record_;
    const Walked walked = is_array ? walk_array(cursor, row) : walk_object(cursor, row);
    if (walked != Walked::ok) return walked;
    for (size_t i = 0; i < columns_.size(); ++i)
      if (seen_[i] != record_) columns_[i].sink->write_null(row);
    return Walked::ok;
  }

  Walked walk_object(Cursor& cursor, size_t row) {
    ++cursor.at;
    if (cursor.peek() == '}') return ++cursor.at, Walked::ok;
    for (size_t place = 0;; ++place) {
      if (cursor.peek() != '"' || cursor.peek(2) != ':') return Walked::bad_syntax;
      std::string_view key = cursor.string();
      if (cursor.has_backslash && key.find('\\') != std::string_view::npos) {
        key_.clear();
        append_unescaped(key_, key);
        key = key_;
      }
      const int field = keys_.find(key, place);
      cursor.at += 3;
      if (field < 0) {
        if (!cursor.skip()) return Walked::bad_syntax;
      } else {
        const Walked written = write(cursor, static_cast<size_t>(field), row);
        if (written != Walked::ok) return written;
      }
      const char c = cursor.peek();
      ++cursor.at;
      if (c == '}') return Walked::ok;
      if (c != ',') return --cursor.at, Walked::bad_syntax;
    }
  }

  // Values by the table's order of columns, whatever the query asks for.
  Walked walk_array(Cursor& cursor, size_t row) {
    ++cursor.at;
    if (cursor.peek() == ']') return ++cursor.at, Walked::ok;
    for (size_t number = 0;; ++number) {
      const auto wanted = std::ranges::find(columns_, number, &Column::number);
      if (wanted == columns_.end()) {
        if (!cursor.skip()) return Walked::bad_syntax;
      } else {
        const Walked written = write(cursor, static_cast<size_t>(wanted - columns_.begin()), row);
        if (written != Walked::ok) return written;
      }
      const char c = cursor.peek();
      ++cursor.at;
      if (c == ']') return Walked::ok;
      if (c != ',') return --cursor.at, Walked::bad_syntax;
    }
  }

  Walked write(Cursor& cursor, size_t column, size_t row) {
    switch (columns_[column].sink->write(cursor, row)) {
      case Written::ok: seen_[column] = record_; return Walked::ok;
      case Written::bad_syntax: return Walked::bad_syntax;
      case Written::bad_value:
        problem_ = columns_[column].sink->problem();
        return Walked::bad_value;
    }
    return Walked::bad_syntax;
  }

  Result<> fill_constants(duckdb_data_chunk chunk, size_t rows) {
    for (auto& constant : constants_) {
      Sink& sink = *constant.sink;
      sink.bind(duck_.data_chunk_get_vector(chunk, constant.out));
      const auto& value = file_->partition_values[constant.number];
      if (!value) {
        sink.write_null(0);
      } else if (!sink.write_text(*value, 0)) {
        return fail(ErrorKind::invalid,
                    fmt::format("HIVE_INVALID_PARTITION_VALUE: Invalid partition value '{}' for {} "
                                "partition key: {}",
                                *value, table_.scan.partition_columns[constant.number].type,
                                table_.scan.partition_columns[constant.number].name));
      }
      sink.repeat_first(rows);
    }
    return {};
  }

  Result<> malformed_record() const {
    return fail(ErrorKind::invalid,
                fmt::format("HIVE_CURSOR_ERROR: Row is not a valid JSON Object - {} at byte {}",
                            file_->name, records_->offset()));
  }
  Result<> bad_value() const {
    return fail(ErrorKind::invalid,
                fmt::format("{} ({} at byte {})", problem_, file_->name, records_->offset()));
  }

  const Duck& duck_;
  Table& table_;
  Progress& progress_;
  std::vector<Column> columns_, constants_;
  Keys keys_;
  std::vector<uint64_t> seen_;  // In which record each column was last met.
  uint64_t record_ = 0;
  std::string problem_, key_;
  const engine::ScanFile* file_ = nullptr;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Records> records_;
  uint64_t counted_bytes_ = 0;
};

// The extra info of the function: what bind needs to find a table.
struct Registry {
  Registry(const Duck* of, Tables* known) : duck(of), tables(known) {}
  const Duck* duck;
  Tables* tables;
};

// DuckDB calls us over C: nothing may be thrown through it.
template <class Body, class Refuse>
void guarded(Body&& body, Refuse&& refuse) {
  try {
    body();
  } catch (const std::exception& thrown) {
    refuse(thrown.what());
  }
}

const Duck* duck_of_process = nullptr;  // Set by register_scan(); the library is loaded once.

void on_bind(duckdb_bind_info info) {
  const Duck& duck = *duck_of_process;
  const auto refuse = [&](const char* why) { duck.bind_set_error(info, why); };
  guarded(
      [&] {
        const auto* registry = static_cast<const Registry*>(duck.bind_get_extra_info(info));
        duckdb_value value = duck.bind_get_parameter(info, 0);
        char* text = duck.get_varchar(value);
        const std::string name = text ? text : "";
        duck.free(text);
        duck.destroy_value(&value);

        const auto found = registry->tables->by_name.find(name);
        if (found == registry->tables->by_name.end()) return refuse("no such scan");
        Table& table = *found->second;
        // DuckDB asks for the first column when it needs none, for count(*): one that costs
        // nothing.
        duckdb_logical_type flag = duck.create_logical_type(DUCKDB_TYPE_BOOLEAN);
        duck.bind_add_result_column(info, kRecordColumn, flag);
        duck.destroy_logical_type(&flag);
        for (size_t i = 0; i < table.types.size(); ++i) {
          const auto& columns = table.scan.columns;
          const std::string& column = i < columns.size()
                                          ? columns[i].name
                                          : table.scan.partition_columns[i - columns.size()].name;
          duckdb_logical_type type = logical_type(duck, table.types[i]);
          duck.bind_add_result_column(info, column.c_str(), type);
          duck.destroy_logical_type(&type);
        }
        uint64_t bytes = 0;
        for (const auto& file : table.scan.files) bytes += file.bytes;
        constexpr uint64_t kBytesPerRow = 200;  // A guess is enough to order joins.
        duck.bind_set_cardinality(info, bytes / kBytesPerRow, false);
        duck.bind_set_bind_data(info, std::make_unique<Bound>(&duck, &table).release(),
                                [](void* data) { delete static_cast<Bound*>(data); });
      },
      refuse);
}

void on_init(duckdb_init_info info) {
  const Duck& duck = *duck_of_process;
  guarded(
      [&] {
        const auto* bound = static_cast<const Bound*>(duck.init_get_bind_data(info));
        auto progress = std::make_unique<Progress>();
        const auto& files = bound->table->scan.files;
        progress->order.resize(files.size());
        std::iota(progress->order.begin(), progress->order.end(), size_t{0});
        std::ranges::stable_sort(progress->order, std::greater<>(),
                                 [&](size_t file) { return files[file].bytes; });
        const idx_t columns = duck.init_get_column_count(info);
        for (idx_t i = 0; i < columns; ++i) {
          const idx_t column = duck.init_get_column_index(info, i);
          progress->projected.push_back(
              column >= 1 && column <= bound->table->types.size() ? column - 1 : kNoColumn);
        }
        duck.init_set_max_threads(info, std::clamp<size_t>(files.size(), 1, 64));
        duck.init_set_init_data(info, progress.release(),
                                [](void* data) { delete static_cast<Progress*>(data); });
      },
      [&](const char* why) { duck.init_set_error(info, why); });
}

// DuckDB gives the local state no way to the global one, so the reader is made at its first call.
void on_local_init(duckdb_init_info info) {
  const Duck& duck = *duck_of_process;
  guarded(
      [&] {
        duck.init_set_init_data(
            info, std::make_unique<std::unique_ptr<Reader>>().release(),
            [](void* data) { delete static_cast<std::unique_ptr<Reader>*>(data); });
      },
      [&](const char* why) { duck.init_set_error(info, why); });
}

void on_call(duckdb_function_info info, duckdb_data_chunk chunk) {
  const Duck& duck = *duck_of_process;
  guarded(
      [&] {
        auto& reader =
            *static_cast<std::unique_ptr<Reader>*>(duck.function_get_local_init_data(info));
        if (!reader) {
          const auto* bound = static_cast<const Bound*>(duck.function_get_bind_data(info));
          auto* progress = static_cast<Progress*>(duck.function_get_init_data(info));
          reader = std::make_unique<Reader>(duck, *bound->table, *progress);
        }
        const Result<> filled = reader->fill(chunk);
        if (!filled) duck.function_set_error(info, filled.error().what.c_str());
      },
      [&](const char* why) { duck.function_set_error(info, why); });
}

}  // namespace

Result<std::unique_ptr<Table>> prepare_table(engine::Scan scan, ScanCounters& counters) {
  auto table = std::make_unique<Table>();
  for (const auto* columns : {&scan.columns, &scan.partition_columns}) {
    for (const engine::ColumnSpec& column : *columns) {
      const auto type = sql::from_hive(column.type);
      if (!type || !is_readable(*type))
        return fail(ErrorKind::unsupported,
                    fmt::format("NOT_SUPPORTED: Unsupported Hive type: {} of column {}",
                                column.type, column.name));
      table->types.push_back(*type);
    }
  }
  for (engine::ScanFile& file : scan.files)
    file.partition_values.resize(scan.partition_columns.size());
  table->rules = rules_of(scan);
  table->scan = std::move(scan);
  table->counters = &counters;
  return table;
}

Result<> register_scan(const Duck& duck, duckdb_connection connection, Tables& tables) {
  duck_of_process = &duck;
  duckdb_table_function function = duck.create_table_function();
  duckdb_logical_type text = duck.create_logical_type(DUCKDB_TYPE_VARCHAR);
  duck.table_function_set_name(function, "laketap_scan");
  duck.table_function_add_parameter(function, text);
  duck.table_function_set_extra_info(function, std::make_unique<Registry>(&duck, &tables).release(),
                                     [](void* data) { delete static_cast<Registry*>(data); });
  duck.table_function_set_bind(function, on_bind);
  duck.table_function_set_init(function, on_init);
  duck.table_function_set_local_init(function, on_local_init);
  duck.table_function_set_function(function, on_call);
  duck.table_function_supports_projection_pushdown(function, true);
  const bool registered = duck.register_table_function(connection, function) == DuckDBSuccess;
  duck.destroy_logical_type(&text);
  duck.destroy_table_function(&function);
  if (!registered) return fail(ErrorKind::unavailable, "registering laketap_scan");
  return {};
}

}  // namespace laketap::worker
