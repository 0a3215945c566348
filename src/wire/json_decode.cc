// Reads JSON into structs with simdjson's On-Demand parser, which looks only at what the tables ask
// for.
//
// The order of errors is AWS's: what is no JSON, then a value of the wrong type (the first one ends
// the reading), then constraints (all of them). Texts of type clashes: athena.md A1.
#include <simdjson.h>

#include <cmath>

#include "wire/base64.h"
#include "wire/check.h"
#include "wire/json.h"

namespace laketap::wire {
namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::number_type;
using Value = simdjson::ondemand::value;

constexpr int kDepthMax = 128;  // Nesting of what a request may hold.
constexpr size_t kKeptParserBytesMax =
    2 * 1024 * 1024;  // Larger bodies get a parser of their own, freed after.

class Reader {
 public:
  Reader(const Service& service, std::string_view text, const char* parsed)
      : service_(service), violations_(service), text_(text), parsed_(parsed) {}

  std::optional<Fault> read(simdjson::ondemand::document& document, const Shape& shape,
                            void* target) {
    Value root;
    json_type type;
    if (document.type().get(type)) return malformed(service_, {});
    if (type != json_type::object && type != json_type::array) return malformed(service_, {});
    if (document.get_value().get(root)) return malformed(service_, {});
    const Path path;
    if (!structure(root, shape, target, path) || !document.at_end())
      return malformed(service_, std::move(clash_));
    if (!violations_.empty()) return violations_.fault();
    return std::nullopt;
  }

 private:
  // All of these: false when reading cannot go on; clash_ then holds AWS's words, if it has any.

  bool structure(Value& value, const Shape& shape, void* target, const Path& path) {
    if (!expect(value, json_type::object, "Expected null")) return false;
    simdjson::ondemand::object object;
    if (value.get_object().get(object)) return false;
    uint64_t seen[4] = {};  // By place in the model; the generator refuses larger structures.
    size_t guess = 0;       // Clients send members in one order: the next one is likely the next.
    for (auto entry : object) {
      simdjson::ondemand::field field;
      if (std::move(entry).get(field)) return false;
      const Member* member = find(field, shape, guess);
      if (failed_) return false;
      Value& inner = field.value();
      if (!member) {
        if (!skip(inner, 0)) return false;
        continue;
      }
      guess = static_cast<size_t>(member - shape.members.data());
      const size_t place = guess++;
      bool null = false;
      if (inner.is_null().get(null)) return false;
      if (null) continue;
      seen[place / 64] |= uint64_t{1} << (place % 64);
      void* field_target = static_cast<char*>(target) + member->offset;
      if (member->optional) field_target = member->optional->emplace(field_target);
      const Path step{&path, member->model_name, place, Path::Step::member, member};
      if (!read_value(inner, *member->shape, field_target, step, true)) return false;
    }
    for (size_t place = 0; place < shape.members.size(); ++place) {
      const Member& member = shape.members[place];
      if (!member.required || (seen[place / 64] >> (place % 64) & 1)) continue;
      violations_.missing({&path, member.model_name, place, Path::Step::member, &member});
    }
    return true;
  }

  const Member* find(simdjson::ondemand::field& field, const Shape& shape, size_t guess) {
    std::string_view key = field.escaped_key();
    if (key.find('\\') != std::string_view::npos && field.unescaped_key().get(key)) {
      failed_ = true;
      return nullptr;
    }
    if (guess < shape.members.size() && shape.members[guess].model_name == key)
      return &shape.members[guess];
    for (const Member& member : shape.members) {
      if (member.model_name == key) return &member;
    }
    return nullptr;
  }

  bool list(Value& value, const Shape& shape, void* target, const Path& path) {
    if (!expect(value, json_type::array, "Expected list or null")) return false;
    simdjson::ondemand::array array;
    if (value.get_array().get(array)) return false;
    shape.list->clear(target);
    size_t index = 0;
    for (auto entry : array) {
      Value inner;
      bool null = false;
      if (std::move(entry).get(inner) || inner.is_null().get(null)) return false;
      const Path step{&path, {}, index++, Path::Step::element, nullptr};
      void* element = shape.list->append(target);
      if (null)
        violations_.missing(step);
      else if (!read_value(inner, *shape.element, element, step, false))
        return false;
    }
    violations_.check_list(shape, target, path);
    return true;
  }

  bool map(Value& value, const Shape& shape, void* target, const Path& path) {
    if (!expect(value, json_type::object, "Expected null")) return false;
    simdjson::ondemand::object object;
    if (value.get_object().get(object)) return false;
    shape.map->clear(target);
    size_t index = 0;
    for (auto entry : object) {
      simdjson::ondemand::field field;
      std::string_view key;
      bool null = false;
      if (std::move(entry).get(field) || field.unescaped_key().get(key) ||
          field.value().is_null().get(null))
        return false;
      const std::string name(key);
      const Path step{&path, name, index++, Path::Step::entry, nullptr};
      if (null) continue;
      if (!read_value(field.value(), *shape.element, shape.map->insert(target, name), step, false))
        return false;
    }
    violations_.check_map(shape, target, path);
    return true;
  }

  // `alone`: a value of its own, not an element: elements of scalar type are checked with their
  // list.
  bool read_value(Value& value, const Shape& shape, void* target, const Path& path, bool alone) {
    switch (shape.kind) {
      case Kind::structure: return nested([&] { return structure(value, shape, target, path); });
      case Kind::list: return nested([&] { return list(value, shape, target, path); });
      case Kind::map: return nested([&] { return map(value, shape, target, path); });
      case Kind::text: return text(value, shape, target, path, alone);
      case Kind::integer: return integer(value, shape, target, path);
      case Kind::number: return number(value, shape, target, path);
      case Kind::boolean:
        return value.get_bool().get(*static_cast<bool*>(target)) == simdjson::SUCCESS ||
               clash(value, "a Boolean");
      case Kind::timestamp: return timestamp(value, target);
      case Kind::blob: return blob(value, shape, target, path);
      case Kind::blob_view: return blob_view(value, shape, target, path);
      case Kind::stream: return false;  // No JSON service streams.
    }
    return false;
  }

  template <class Inner>
  bool nested(Inner inner) {
    if (++depth_ > kDepthMax) return false;
    const bool done = inner();
    --depth_;
    return done;
  }

  bool text(Value& value, const Shape& shape, void* target, const Path& path, bool alone) {
    json_type type;
    if (value.type().get(type)) return false;
    if (type != json_type::string) return clash(value, "a String");
    std::string_view found;
    if (value.get_string().get(found)) return false;
    static_cast<std::string*>(target)->assign(found);
    if (alone) violations_.check_text(shape, found, path);
    return true;
  }

  bool integer(Value& value, const Shape& shape, void* target, const Path& path) {
    const char* kind = shape.wide ? "a Long" : "an Integer";
    json_type type;
    if (value.type().get(type)) return false;
    if (type != json_type::number) return clash(value, kind);
    number_type number;
    if (value.get_number_type().get(number)) return clash(value, kind);
    int64_t found = 0;
    if (number == number_type::signed_integer) {
      if (value.get_int64().get(found)) return false;
    } else {
      double real = 0;  // 1.5 for an integer is cut off (athena.md A1).
      if (number == number_type::big_integer || value.get_double().get(real))
        return clash(value, kind);
      if (!(real > -9.2e18 && real < 9.2e18)) return clash(value, kind);
      found = static_cast<int64_t>(real);
    }
    if (!shape.wide && found != static_cast<int32_t>(found)) return clash(value, kind);
    *static_cast<int64_t*>(target) = found;
    violations_.check_number(shape, static_cast<double>(found), path);
    return true;
  }

  bool number(Value& value, const Shape& shape, void* target, const Path& path) {
    double& found = *static_cast<double*>(target);
    json_type type;
    if (value.type().get(type)) return false;
    if (type != json_type::number) return clash(value, "a Double");
    if (value.get_double().get(found)) return false;
    violations_.check_number(shape, found, path);
    return true;
  }

  bool timestamp(Value& value, void* target) {
    json_type type;
    double seconds = 0;
    if (value.type().get(type)) return false;
    if (type != json_type::number) return clash(value, "milliseconds since epoch");
    if (value.get_double().get(seconds)) return false;
    if (!(std::abs(seconds) < 1e11)) return clash(value, "milliseconds since epoch");
    *static_cast<Timestamp*>(target) = from_epoch_micros(std::llround(seconds * 1e6));
    return true;
  }

  bool blob(Value& value, const Shape& shape, void* target, const Path& path) {
    Base64View found;
    if (!base64(value, found)) return false;
    Result<Bytes> bytes = found.decode();
    if (!bytes) return bad_base64();
    violations_.check_blob(shape, bytes->size(), path);
    *static_cast<Bytes*>(target) = std::move(*bytes);
    return true;
  }

  bool blob_view(Value& value, const Shape& shape, void* target, const Path& path) {
    auto& found = *static_cast<Base64View*>(target);
    if (!base64(value, found)) return false;
    violations_.check_blob(shape, found.decoded_size(), path);
    return true;
  }

  // The text between the quotes, where it stands in the caller's body: no copy, unless it has
  // escapes.
  bool base64(Value& value, Base64View& found) {
    json_type type;
    if (value.type().get(type)) return false;
    if (type != json_type::string) return clash(value, "a Blob");
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_of('"') + 1);
    if (token.size() < 2) return false;
    token = token.substr(1, token.size() - 2);
    if (token.find('\\') == std::string_view::npos) {
      found = {text_.substr(static_cast<size_t>(token.data() - parsed_), token.size()), nullptr};
    } else {
      std::string_view plain;
      if (value.get_string().get(plain)) return false;
      auto kept = std::make_shared<const std::string>(plain);
      found = {*kept, kept};
    }
    return found.text.size() % 4 == 0 || bad_base64();
  }

  bool bad_base64() {
    clash_ = kBadBase64;
    return false;
  }

  // Walks what no table knows, so that a mistake in it is found too.
  bool skip(Value& value, int depth) {
    json_type type;
    if (depth > kDepthMax || value.type().get(type)) return false;
    switch (type) {
      case json_type::object: {
        simdjson::ondemand::object object;
        if (value.get_object().get(object)) return false;
        for (auto entry : object) {
          simdjson::ondemand::field field;
          if (std::move(entry).get(field) || !skip(field.value(), depth + 1)) return false;
        }
        return true;
      }
      case json_type::array: {
        simdjson::ondemand::array array;
        if (value.get_array().get(array)) return false;
        for (auto entry : array) {
          Value inner;
          if (std::move(entry).get(inner) || !skip(inner, depth + 1)) return false;
        }
        return true;
      }
      case json_type::string: return value.get_string().error() == simdjson::SUCCESS;
      case json_type::boolean: return value.get_bool().error() == simdjson::SUCCESS;
      case json_type::null: return value.is_null().error() == simdjson::SUCCESS;
      case json_type::number: {
        const auto error = value.get_double().error();
        return error == simdjson::SUCCESS || error == simdjson::BIGINT_ERROR;
      }
      default: return false;
    }
  }

  bool expect(Value& value, json_type wanted, const char* scalar_text) {
    json_type type;
    if (value.type().get(type)) return false;
    if (type == wanted) return true;
    if (type == json_type::array)
      clash_ = "Start of list found where not expected";
    else if (type == json_type::object)
      clash_ = "Start of structure or map found where not expected.";
    else
      clash_ = scalar_text;
    return false;
  }

  bool clash(Value& value, const char* wanted) {
    json_type type;
    if (value.type().get(type)) return false;
    const char* found = nullptr;
    switch (type) {
      case json_type::array: clash_ = "Start of list found where not expected"; return false;
      case json_type::object:
        clash_ = "Start of structure or map found where not expected.";
        return false;
      case json_type::string: found = "STRING_VALUE"; break;
      case json_type::number: found = "NUMBER_VALUE"; break;
      case json_type::boolean: {
        bool truth = false;
        if (value.get_bool().get(truth)) return false;
        found = truth ? "TRUE_VALUE" : "FALSE_VALUE";
        break;
      }
      default: return false;
    }
    clash_ = std::string(found) + " can not be converted to " + wanted;
    return false;
  }

  const Service& service_;
  Violations violations_;
  std::string_view text_;  // The caller's body,
  const char* parsed_;     // and the copy of it that is parsed (or the body itself).
  std::string clash_;
  bool failed_ = false;
  int depth_ = 0;
};

}  // namespace

std::optional<Fault> read_json(const Service& service, const Shape& shape, std::string_view text,
                               size_t readable, void* target) {
  if (text.empty())
    text = "{}", readable = 2;  // Some clients send nothing when they have nothing to say.
  static thread_local simdjson::ondemand::parser kept_parser;
  static thread_local std::string kept_copy;
  simdjson::ondemand::parser own_parser;
  std::string own_copy;
  const bool is_large = text.size() > kKeptParserBytesMax;
  simdjson::ondemand::parser& parser = is_large ? own_parser : kept_parser;
  const char* parsed = text.data();
  if (readable < text.size() + simdjson::SIMDJSON_PADDING) {
    std::string& copy = is_large ? own_copy : kept_copy;
    copy.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    copy.assign(text);
    parsed = copy.data();
    readable = copy.capacity();
  }
  simdjson::ondemand::document document;
  if (parser.iterate(parsed, text.size(), readable).get(document)) return malformed(service, {});
  Reader reader(service, text, parsed);
  return reader.read(document, shape, target);
}

}  // namespace laketap::wire
