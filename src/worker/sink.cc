#include "worker/sink.h"

#include <fmt/format.h>
#include <libbase64.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "worker/values.h"

namespace laketap::worker {

using sql::Kind;

namespace {

constexpr size_t kInlineBytes = 12;  // Of duckdb_string_t.

void fold(std::string& text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
}

template <class T>
void store(void* data, size_t row, T value) {
  static_cast<T*>(data)[row] = value;
}

// Hive's varchar(n) and char(n) keep the first n characters.
std::string_view first_characters(std::string_view text, size_t count) {
  if (text.size() <= count) return text;
  size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && count-- == 0) break;
  return text.substr(0, at);
}

// JSON without the blanks between its tokens.
void append_compact(std::string& target, std::string_view json) {
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\' && i + 1 < json.size()) {
      target += c;
      target += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) target += c;
  }
}

bool is_plain_scalar(std::string_view text) {
  const char c = text.front();
  return c == '-' || (c >= '0' && c <= '9') || text == "true" || text == "false" || text == "NaN" ||
         text == "Infinity";
}

}  // namespace

Keys::Keys(const std::vector<std::string>& names, const SerdeRules& rules, bool with_mappings)
    : fold_(rules.fold_keys), dots_(rules.dots_in_keys) {
  for (size_t i = 0; i < names.size(); ++i) {
    std::string key = names[i];
    if (with_mappings)
      if (const auto mapped = rules.mappings.find(key); mapped != rules.mappings.end())
        key = mapped->second;
    if (dots_) std::ranges::replace(key, '.', '_');
    if (fold_) fold(key);
    fields_[key] = static_cast<int>(i);
  }
}

int Keys::look_up(std::string_view key, size_t place) {
  std::string wanted(key);
  if (dots_) std::ranges::replace(wanted, '.', '_');
  if (fold_) fold(wanted);
  const auto found = fields_.find(wanted);
  const int field = found == fields_.end() ? -1 : found->second;
  if (place < kHintsMax) {
    if (hints_.size() <= place) hints_.resize(place + 1, {std::string(1, '\0'), -1});
    hints_[place] = {std::string(key), field};
  }
  return field;
}

Sink::Sink(const Duck& duck, const sql::Type& type, const SerdeRules& rules, size_t number)
    : Sink(duck, type, rules, number, nullptr) {}

Sink::Sink(const Duck& duck, const sql::Type& type, const SerdeRules& rules, size_t number,
           std::string* problem)
    : duck_(duck), type_(type), rules_(rules), number_(number), problem_(problem) {
  if (!problem_) {
    own_problem_ = std::make_unique<std::string>();
    problem_ = own_problem_.get();
  }
  for (const sql::Type& part : type_.parts)
    parts_.push_back(std::make_unique<Sink>(duck, part, rules, number, problem_));
  if (type_.is(Kind::row)) {
    std::vector<std::string> names;
    for (const auto& name : type_.names) names.push_back(name.value_or(""));
    for (std::string& name : names) fold(name);
    keys_ = Keys(names, rules, false);
    seen_.resize(parts_.size());
  }
}

void Sink::bind(duckdb_vector vector) {
  vector_ = vector;
  duck_.vector_ensure_validity_writable(vector);
  validity_ = duck_.vector_get_validity(vector);
  data_ = duck_.vector_get_data(vector);
  if (type_.is(Kind::row)) {
    for (size_t i = 0; i < parts_.size(); ++i)
      parts_[i]->bind(duck_.struct_vector_get_child(vector, i));
  } else if (type_.is(Kind::array) || type_.is(Kind::map)) {
    list_size_ = list_capacity_ = 0;
    for (const auto& part : parts_) part->forget();  // Bound by the first element.
  }
}

void Sink::forget() {
  vector_ = nullptr;
  for (const auto& part : parts_) part->forget();
}

void Sink::finish() {
  if (type_.is(Kind::array) || type_.is(Kind::map)) duck_.list_vector_set_size(vector_, list_size_);
  for (const auto& part : parts_)
    if (part->vector_) part->finish();
}

void Sink::write_null(size_t row) {
  validity_[row >> 6] &= ~(uint64_t{1} << (row & 63));
  if (type_.is(Kind::row)) {
    for (const auto& part : parts_) part->write_null(row);
  } else if (type_.is(Kind::array) || type_.is(Kind::map)) {
    store<duckdb_list_entry>(data_, row, {list_size_, 0});
  }
}

size_t value_bytes(const sql::Type& type) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::tinyint: return 1;
    case Kind::smallint: return 2;
    case Kind::integer:
    case Kind::real:
    case Kind::date: return 4;
    case Kind::bigint:
    case Kind::double_:
    case Kind::timestamp: return 8;
    case Kind::decimal:
      return type.precision <= 4 ? 2 : type.precision <= 9 ? 4 : type.precision <= 18 ? 8 : 16;
    case Kind::array:
    case Kind::map:
    case Kind::row: return 0;
    default: return sizeof(duckdb_string_t);
  }
}

void Sink::repeat_first(size_t rows) {
  const bool valid = (validity_[0] & 1) != 0;
  if (!valid) {
    for (size_t row = 1; row < rows; ++row) write_null(row);
    return;
  }
  const size_t bytes = value_bytes(type_);
  auto* data = static_cast<char*>(data_);
  for (size_t row = 1; row < rows; ++row) std::memcpy(data + row * bytes, data, bytes);
}

Written Sink::mismatch(std::string_view text, size_t row) {
  if (rules_.null_for_invalid) {
    write_null(row);
    return Written::ok;
  }
  std::string shown;
  append_clean(shown, text.substr(0, 200));
  *problem_ = fmt::format(
      "HIVE_BAD_DATA: Error parsing field value '{0}' for field {1}: For input string: \"{0}\"",
      shown, number_);
  return Written::bad_value;
}

std::string_view Sink::decoded(const Cursor& cursor, std::string_view content) {
  if (!cursor.has_backslash || content.find('\\') == std::string_view::npos) return content;
  scratch_.clear();
  append_unescaped(scratch_, content);
  return scratch_;
}

void Sink::put_text(std::string_view text, size_t row, bool clean) {
  std::string repaired;
  if (!clean && !simdjson::validate_utf8(text.data(), text.size())) {
    append_clean(repaired, text);
    text = repaired;
  }
  if (type_.is(Kind::varchar) && type_.precision != sql::Type::kUnbounded)
    text = first_characters(text, static_cast<size_t>(type_.precision));
  if (type_.is(Kind::char_)) {
    text = first_characters(text, static_cast<size_t>(type_.precision));
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  }
  if (text.size() > kInlineBytes) {
    duck_.unsafe_vector_assign_string_element_len(vector_, row, text.data(), text.size());
    return;
  }
  duckdb_string_t inlined{};
  inlined.value.inlined.length = static_cast<uint32_t>(text.size());
  std::memcpy(inlined.value.inlined.inlined, text.data(), text.size());
  store(data_, row, inlined);
}

// A value that is no nested one, of a column that is none either.
bool Sink::write_lone(std::string_view text, bool quoted, size_t row) {
  switch (type_.kind) {
    case Kind::boolean: {
      const auto value = to_boolean(text);
      if (value) store<bool>(data_, row, *value);
      return value.has_value();
    }
    case Kind::tinyint:
    case Kind::smallint:
    case Kind::integer:
    case Kind::bigint: {
      const auto value = to_integer(text);
      if (!value) return false;
      if (type_.is(Kind::bigint)) return store<int64_t>(data_, row, *value), true;
      if (type_.is(Kind::integer))
        return store(data_, row, static_cast<int32_t>(*value)),
               *value == static_cast<int32_t>(*value);
      if (type_.is(Kind::smallint))
        return store(data_, row, static_cast<int16_t>(*value)),
               *value == static_cast<int16_t>(*value);
      return store(data_, row, static_cast<int8_t>(*value)), *value == static_cast<int8_t>(*value);
    }
    case Kind::real:
    case Kind::double_: {
      const auto value = to_double(text);
      if (!value) return false;
      if (type_.is(Kind::real))
        store(data_, row, static_cast<float>(*value));
      else
        store(data_, row, *value);
      return true;
    }
    case Kind::decimal: {
      const auto value = to_decimal(text, type_.precision, type_.scale);
      if (!value) return false;
      switch (value_bytes(type_)) {
        case 2: store(data_, row, static_cast<int16_t>(*value)); break;
        case 4: store(data_, row, static_cast<int32_t>(*value)); break;
        case 8: store(data_, row, static_cast<int64_t>(*value)); break;
        default: store(data_, row, *value);
      }
      return true;
    }
    case Kind::date: {
      const auto value = to_days(text);
      if (value) store<int32_t>(data_, row, *value);
      return value.has_value();
    }
    case Kind::timestamp: {
      const auto value = to_micros(text);
      if (value) store<int64_t>(data_, row, *value);
      return value.has_value();
    }
    case Kind::varbinary: {
      std::string bytes(text.size(), '\0');
      size_t length = 0;
      if (quoted && base64_decode(text.data(), text.size(), bytes.data(), &length, 0) == 1)
        text = std::string_view(bytes).substr(0, length);
      duck_.unsafe_vector_assign_string_element_len(vector_, row, text.data(), text.size());
      return true;
    }
    default: put_text(text, row, false); return true;
  }
}

bool Sink::write_text(std::string_view text, size_t row) {
  if (type_.is(Kind::varbinary))
    return duck_.unsafe_vector_assign_string_element_len(vector_, row, text.data(), text.size()),
           true;
  if (!parts_.empty()) return false;
  if (type_.is_text()) return put_text(text, row, false), true;
  return write_lone(text, true, row);
}

Written Sink::write(Cursor& cursor, size_t row) {
  const char c = cursor.peek();
  if (c == 'n' && cursor.scalar() == "null") {
    write_null(row);
    ++cursor.at;
    return Written::ok;
  }
  set_valid(row);
  switch (type_.kind) {
    case Kind::array: return write_array(cursor, row);
    case Kind::map: return write_map(cursor, row);
    case Kind::row: return write_struct(cursor, row);
    default: break;
  }
  if (c == '"') return write_string(cursor, row);
  if (c == '{' || c == '[') return write_raw(cursor, row);
  if (c == '}' || c == ']' || c == ',' || c == ':' || c == '\0') return Written::bad_syntax;

  const std::string_view text = cursor.scalar();
  if (!is_plain_scalar(text)) return Written::bad_syntax;
  ++cursor.at;
  return write_lone(text, false, row) ? Written::ok : mismatch(text, row);
}

Written Sink::write_string(Cursor& cursor, size_t row) {
  const std::string_view content = decoded(cursor, cursor.string());
  cursor.at += 2;
  if (type_.is_text()) {
    put_text(content, row, !cursor.dirty);
    return Written::ok;
  }
  if (content.empty() && !type_.is(Kind::varbinary)) {  // OpenX: no number, no date.
    write_null(row);
    return Written::ok;
  }
  return write_lone(content, true, row) ? Written::ok : mismatch(content, row);
}

// A value of another shape than the column's: the text of it, if the column is one of texts.
Written Sink::write_raw(Cursor& cursor, size_t row) {
  const char c = cursor.peek();
  if (c != '{' && c != '[') {
    const std::string_view text = cursor.scalar();
    if (text.empty() || !is_plain_scalar(text)) return Written::bad_syntax;
    ++cursor.at;
    return mismatch(text, row);
  }
  const char* first = cursor.text + cursor.offsets[cursor.at];
  if (!cursor.skip()) return Written::bad_syntax;
  const std::string_view json(
      first, static_cast<size_t>(cursor.text + cursor.offsets[cursor.at - 1] + 1 - first));
  if (!type_.is_text()) return mismatch(json, row);
  scratch_.clear();
  append_compact(scratch_, json);
  put_text(scratch_, row, !cursor.dirty);
  return Written::ok;
}

// Makes room for one more element behind list_size_ + length, and returns its row in the child.
size_t Sink::grow_list(size_t length) {
  const size_t row = list_size_ + length;
  if (row >= list_capacity_) {
    list_capacity_ = std::max<size_t>({row + 1, list_capacity_ * 2, 2048});
    duck_.list_vector_reserve(vector_, list_capacity_);
    const duckdb_vector child = duck_.list_vector_get_child(vector_);
    Sink& element = *parts_.front();
    // What nested lists hold already must not be forgotten: only pointers are new.
    const auto rebind = [&](auto&& self, Sink& sink, duckdb_vector vector) -> void {
      const size_t size = sink.list_size_, capacity = sink.list_capacity_;
      sink.vector_ = vector;
      duck_.vector_ensure_validity_writable(vector);
      sink.validity_ = duck_.vector_get_validity(vector);
      sink.data_ = duck_.vector_get_data(vector);
      sink.list_size_ = row == 0 ? 0 : size;
      sink.list_capacity_ = row == 0 ? 0 : capacity;
      if (sink.type_.is(Kind::row))
        for (size_t i = 0; i < sink.parts_.size(); ++i)
          self(self, *sink.parts_[i], duck_.struct_vector_get_child(vector, i));
    };
    if (type_.is(Kind::map)) {
      for (size_t i = 0; i < 2; ++i)
        rebind(rebind, *parts_[i], duck_.struct_vector_get_child(child, i));
    } else {
      rebind(rebind, element, child);
    }
  }
  return row;
}

Written Sink::write_array(Cursor& cursor, size_t row) {
  if (cursor.peek() != '[') {
    // A lone value becomes an array of one; "" and the text null are none at all.
    if (cursor.peek() == '"') {
      const std::string_view content = cursor.string();
      if (content.empty() || content == "null") {
        cursor.at += 2;
        write_null(row);
        return Written::ok;
      }
      if (!parts_.front()->parts_.empty()) {
        cursor.at += 2;
        return mismatch(content, row);
      }
    }
    const Written written = parts_.front()->write(cursor, grow_list(0));
    store<duckdb_list_entry>(data_, row, {list_size_, 1});
    ++list_size_;
    return written;
  }
  ++cursor.at;
  size_t length = 0;
  if (cursor.peek() == ']') {
    ++cursor.at;
  } else {
    for (;;) {
      const Written written = parts_.front()->write(cursor, grow_list(length));
      if (written != Written::ok) return written;
      ++length;
      const char c = cursor.peek();
      ++cursor.at;
      if (c == ']') break;
      if (c != ',') return --cursor.at, Written::bad_syntax;
    }
  }
  store<duckdb_list_entry>(data_, row, {list_size_, length});
  list_size_ += length;
  return Written::ok;
}

Written Sink::write_map(Cursor& cursor, size_t row) {
  if (cursor.peek() == '"') {
    const std::string_view content = cursor.string();
    cursor.at += 2;
    if (!content.empty() && content != "null") return mismatch(content, row);
    write_null(row);
    return Written::ok;
  }
  if (cursor.peek() != '{') return write_raw(cursor, row);
  const size_t start = cursor.at;
  ++cursor.at;
  std::unordered_map<std::string, size_t>
      places;  // A later value of a key replaces the earlier one.
  size_t length = 0;
  if (cursor.peek() == '}') {
    ++cursor.at;
  } else {
    for (;;) {
      if (cursor.peek() != '"' || cursor.peek(2) != ':') return Written::bad_syntax;
      const std::string key(decoded(cursor, cursor.string()));
      const auto [place, fresh] = places.emplace(key, length);
      const size_t at = grow_list(place->second);
      parts_[0]->set_valid(at);
      if (fresh && !parts_[0]->write_text(key, at)) {
        cursor.at = start;
        return cursor.skip() ? mismatch(key, row) : Written::bad_syntax;
      }
      cursor.at += 3;
      const Written written = parts_[1]->write(cursor, at);
      if (written != Written::ok) return written;
      length += fresh;
      const char c = cursor.peek();
      ++cursor.at;
      if (c == '}') break;
      if (c != ',') return --cursor.at, Written::bad_syntax;
    }
  }
  store<duckdb_list_entry>(data_, row, {list_size_, length});
  list_size_ += length;
  return Written::ok;
}

Written Sink::write_struct(Cursor& cursor, size_t row) {
  const char first = cursor.peek();
  if (first == '"') {
    const std::string_view content = cursor.string();
    cursor.at += 2;
    if (!content.empty() && content != "null") return mismatch(content, row);
    write_null(row);
    return Written::ok;
  }
  if (first == '[') return write_positional(cursor, row);
  if (first != '{') return write_raw(cursor, row);

  ++object_;
  ++cursor.at;
  if (cursor.peek() == '}') {
    ++cursor.at;
  } else {
    for (size_t place = 0;; ++place) {
      if (cursor.peek() != '"' || cursor.peek(2) != ':') return Written::bad_syntax;
      const int field = keys_.find(decoded(cursor, cursor.string()), place);
      cursor.at += 3;
      if (field < 0) {
        if (!cursor.skip()) return Written::bad_syntax;
      } else {
        const Written written = parts_[static_cast<size_t>(field)]->write(cursor, row);
        if (written != Written::ok) return written;
        seen_[static_cast<size_t>(field)] = object_;
      }
      const char c = cursor.peek();
      ++cursor.at;
      if (c == '}') break;
      if (c != ',') return --cursor.at, Written::bad_syntax;
    }
  }
  for (size_t i = 0; i < parts_.size(); ++i)
    if (seen_[i] != object_) parts_[i]->write_null(row);
  return Written::ok;
}

// An array where the column is a struct: its fields by their order.
Written Sink::write_positional(Cursor& cursor, size_t row) {
  ++cursor.at;
  size_t field = 0;
  if (cursor.peek() == ']') {
    ++cursor.at;
  } else {
    for (;; ++field) {
      if (field < parts_.size()) {
        const Written written = parts_[field]->write(cursor, row);
        if (written != Written::ok) return written;
      } else if (!cursor.skip()) {
        return Written::bad_syntax;
      }
      const char c = cursor.peek();
      ++cursor.at;
      if (c == ']') break;
      if (c != ',') return --cursor.at, Written::bad_syntax;
    }
    ++field;
  }
  for (; field < parts_.size(); ++field) parts_[field]->write_null(row);
  return Written::ok;
}

duckdb_logical_type logical_type(const Duck& duck, const sql::Type& type) {
  const auto plain = [&](duckdb_type kind) { return duck.create_logical_type(kind); };
  switch (type.kind) {
    case Kind::boolean: return plain(DUCKDB_TYPE_BOOLEAN);
    case Kind::tinyint: return plain(DUCKDB_TYPE_TINYINT);
    case Kind::smallint: return plain(DUCKDB_TYPE_SMALLINT);
    case Kind::integer: return plain(DUCKDB_TYPE_INTEGER);
    case Kind::bigint: return plain(DUCKDB_TYPE_BIGINT);
    case Kind::real: return plain(DUCKDB_TYPE_FLOAT);
    case Kind::double_: return plain(DUCKDB_TYPE_DOUBLE);
    case Kind::date: return plain(DUCKDB_TYPE_DATE);
    case Kind::timestamp: return plain(DUCKDB_TYPE_TIMESTAMP);
    case Kind::varbinary: return plain(DUCKDB_TYPE_BLOB);
    case Kind::decimal:
      return duck.create_decimal_type(static_cast<uint8_t>(type.precision),
                                      static_cast<uint8_t>(type.scale));
    case Kind::array: {
      duckdb_logical_type element = logical_type(duck, type.parts[0]);
      const duckdb_logical_type made = duck.create_list_type(element);
      duck.destroy_logical_type(&element);
      return made;
    }
    case Kind::map: {
      duckdb_logical_type key = logical_type(duck, type.parts[0]),
                          value = logical_type(duck, type.parts[1]);
      const duckdb_logical_type made = duck.create_map_type(key, value);
      duck.destroy_logical_type(&key);
      duck.destroy_logical_type(&value);
      return made;
    }
    case Kind::row: {
      std::vector<duckdb_logical_type> members;
      std::vector<std::string> texts;
      std::vector<const char*> names;
      for (const sql::Type& part : type.parts) members.push_back(logical_type(duck, part));
      for (const auto& name : type.names) texts.push_back(name.value_or(""));
      for (const std::string& name : texts) names.push_back(name.c_str());
      const duckdb_logical_type made =
          duck.create_struct_type(members.data(), names.data(), members.size());
      for (duckdb_logical_type& member : members) duck.destroy_logical_type(&member);
      return made;
    }
    default: return plain(DUCKDB_TYPE_VARCHAR);
  }
}

}  // namespace laketap::worker
