// The tables that generated code fills: types, operations and services of AWS's models.
//
// A Shape says how one type looks on the wire, what the model demands of it, and how its C++ value
// is reached: scalars by address, everything else by the small functions of the *Access tables, one
// set per C++ type. All tables are constants; nothing here runs before main.
#pragma once

#include <atomic>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "wire/types.h"

namespace laketap::wire {

// What a value is, and which C++ type holds it.
enum class Kind : uint8_t {
  boolean,    // bool
  integer,    // int64_t
  number,     // double
  text,       // std::string
  blob,       // Bytes
  blob_view,  // Base64View
  timestamp,  // Timestamp
  list,       // std::vector<...>, see Shape::list
  map,        // std::map<std::string, ...>, see Shape::map
  structure,  // a generated struct, see Shape::members
  stream,     // BodyReader* in an input, std::unique_ptr<BodySource> in an output
};

enum class Location : uint8_t { body, uri, query, header, headers, status, payload };
enum class TimeFormat : uint8_t { by_protocol, epoch_seconds, iso8601, http_date };
enum class Protocol : uint8_t { json, query, rest_xml };

// A regular expression of the model (Java's), compiled at its first use. Whole values must match.
struct Pattern {
  const char* java;        // As the model says, for messages.
  const char* expression;  // The same for PCRE2.
  mutable std::atomic<void*> compiled{nullptr};
};
// Errors: a pattern that PCRE2 cannot compile, or that takes too long for `text`, matches nothing.
bool matches(const Pattern& pattern, std::string_view text);
bool compiles(const Pattern& pattern);

struct OptionalAccess {
  void* (*emplace)(void* optional);  // A new value in it; its address.
  void (*reset)(void* optional);
  const void* (*get)(const void* optional);  // Null when absent.
};
struct ListAccess {
  void (*clear)(void* list);
  void* (*append)(void* list);
  size_t (*size)(const void* list);
  const void* (*at)(const void* list, size_t index);
};
struct MapAccess {
  void (*clear)(void* map);
  void* (*insert)(void* map, std::string key);  // The value of that key, new or there already.
  size_t (*size)(const void* map);
  void (*each)(const void* map, void* context,
               void (*visit)(void* context, const std::string& key, const void* value));
};

struct Member;

struct Shape {
  const char* name = "";
  Kind kind = Kind::structure;
  bool wide = false;       // integer: 64 bits (a long), else 32.
  bool sensitive = false;  // Its value is never repeated in a message.
  bool flattened =
      false;  // list, map: elements stand beside each other, without a node around them.
  TimeFormat time = TimeFormat::by_protocol;

  // What the model demands. Of a number its value, of a text, blob, list or map its length.
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  const Pattern* pattern = nullptr;
  std::span<const char* const> values = {};  // An enum's, as messages list them; empty: any.

  const Shape* element = nullptr;  // Of a list; the value of a map.
  const Shape* key = nullptr;      // Of a map.
  const char* element_name = "member";
  const char* key_name = "key";
  const char* value_name = "value";
  const ListAccess* list = nullptr;
  const MapAccess* map = nullptr;

  std::span<const Member> members = {};
  const Member* payload = nullptr;  // The member that is the whole body (REST).
};

struct Member {
  std::string_view name;        // On the wire: key, element, header, query parameter.
  std::string_view model_name;  // In the model; in paths of messages with a small first letter.
  const Shape* shape;
  uint32_t offset;
  const OptionalAccess* optional;  // Null when the value stands there itself (required, streams).
  bool required = false;
  Location location = Location::body;
  bool attribute = false;  // An XML attribute.
  TimeFormat time = TimeFormat::by_protocol;
};

extern const Shape kEmptyShape;  // Of wire::Empty.

struct QueryKey {
  std::string_view name;
  const char* value;  // Null: any value.
};

struct Operation {
  std::string_view name;
  std::string_view method = "POST";
  bool on_bucket = false, on_key = false;          // S3: what the path must name.
  std::span<const QueryKey> query = {};            // S3: keys that the query must have.
  std::span<const std::string_view> headers = {};  // S3: headers that must be there.
  int status = 200;
  const Shape* input = nullptr;  // Null for an operation without types: known by name only.
  const Shape* output = nullptr;
  const char* input_root = "";   // REST-XML: the body's element.
  const char* output_root = "";  // REST-XML: the body's element. Query: the wrapper, "" for none.
  bool bare_root = false;        // REST-XML: the only member is the root itself.
  const char* action = "";       // "firehose:PutRecord"; "": needs no permission.
  std::span<const std::string_view> arns = {};  // Templates, see aws/actions.toml.
};

struct Service {
  std::string_view name;  // Ours: "firehose".
  Protocol protocol;
  std::string_view json_version;   // "1.1"; "" when not JSON.
  std::string_view target_prefix;  // "Firehose_20150804"; "" when not JSON.
  std::string_view signing_name;   // Service of the credential scope.
  std::string_view version;        // "2015-08-04"; Query requests name it.
  std::string_view xml_namespace;
  bool echo_values;             // Validation messages repeat the value: "Value 'x' at ...".
  bool error_header;            // JSON errors carry x-amzn-ErrorType too.
  std::string_view message;     // The member of a JSON error that carries its text.
  std::string_view validation;  // Code for input that breaks the model.
  std::span<const std::pair<std::string_view, std::string_view>> validation_fields;
  std::span<const Operation> operations;

  const Operation* find(std::string_view operation) const;
};

}  // namespace laketap::wire
