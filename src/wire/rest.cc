#include "wire/rest.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/message.h"
#include "http/url.h"
#include "wire/check.h"
#include "wire/form.h"
#include "wire/scalar.h"
#include "wire/xml.h"

namespace laketap::wire {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  }
  return out;
}

Fault bad_argument(const Member& member, std::string_view value) {
  std::string message = "Invalid Argument";
  if (member.shape->kind == Kind::integer)
    message = fmt::format("Provided {} not an integer or within integer range", member.name);
  return {"InvalidArgument",
          400,
          std::move(message),
          {{"ArgumentName", std::string(member.name)}, {"ArgumentValue", std::string(value)}}};
}

// Reads one request into one struct; a class only to share what every step needs.
class RestReader {
 public:
  RestReader(const Service& service, const Operation& operation, const http::RequestHead& head,
             RequestBody body)
      : service_(service), operation_(operation), head_(head), body_(body), violations_(service) {}

  std::optional<Fault> read(void* target) {
    if (auto fault = split_target()) return fault;
    const Shape& shape = *operation_.input;
    for (size_t place = 0; place < shape.members.size(); ++place) {
      const Member& member = shape.members[place];
      const Path path{&root_, member.model_name, place, Path::Step::member, &member};
      if (auto fault = read_member(member, static_cast<char*>(target) + member.offset, path))
        return fault;
    }
    if (!violations_.empty()) return violations_.fault();
    return std::nullopt;
  }

 private:
  std::optional<Fault> split_target() {
    Result<Form> query = parse_form(head_.query);
    const std::string_view path = std::string_view(head_.path).substr(1);
    const size_t slash = path.find('/');
    auto bucket = http::percent_decode(path.substr(0, slash));
    auto key = http::percent_decode(slash == std::string_view::npos ? "" : path.substr(slash + 1));
    if (!query || !bucket || !key)
      return Fault{"InvalidURI", 400, "Couldn't parse the specified URI.", {}};
    query_ = std::move(*query);
    bucket_ = std::move(*bucket);
    key_ = std::move(*key);
    return std::nullopt;
  }

  std::optional<Fault> read_member(const Member& member, void* field, const Path& path) {
    switch (member.location) {
      case Location::uri:
        return read_text(member, member.name == "Bucket" ? bucket_ : key_, field, path);
      case Location::query: {
        const std::string* value = query_.find(member.name);
        if (!value || (value->empty() && member.shape->kind != Kind::text))
          return absent(member, path);
        return read_text(member, *value, field, path);
      }
      case Location::header: {
        const std::string* value = head_.find(member.name);
        if (!value || value->empty()) return absent(member, path);
        return read_text(member, *value, field, path);
      }
      case Location::headers: return read_prefixed(member, field);
      case Location::payload: return read_payload(member, field, path);
      default: return std::nullopt;
    }
  }

  std::optional<Fault> absent(const Member& member, const Path& path) {
    if (member.required) violations_.missing(path);
    return std::nullopt;
  }

  std::optional<Fault> read_text(const Member& member, std::string_view text, void* field,
                                 const Path& path) {
    const Shape& shape = *member.shape;
    if (shape.kind == Kind::list) return read_commas(member, text, field, path);
    void* value = member.optional ? member.optional->emplace(field) : field;
    if (!read_scalar(shape, text, value)) {
      // A date that is none is as good as none: RFC 9110 section 13.1.3, and S3 does so.
      if (shape.kind == Kind::timestamp && member.optional)
        return member.optional->reset(field), std::nullopt;
      return bad_argument(member, text);
    }
    if (shape.kind == Kind::text) violations_.check_text(shape, text, path);
    if (shape.kind == Kind::integer)
      violations_.check_number(shape, static_cast<double>(*static_cast<int64_t*>(value)), path);
    return std::nullopt;
  }

  std::optional<Fault> read_commas(const Member& member, std::string_view text, void* field,
                                   const Path& path) {
    void* list = member.optional ? member.optional->emplace(field) : field;
    while (!text.empty()) {
      std::string_view part = text.substr(0, text.find(','));
      text.remove_prefix(std::min(text.size(), part.size() + 1));
      while (part.starts_with(' ')) part.remove_prefix(1);
      while (part.ends_with(' ')) part.remove_suffix(1);
      if (!read_scalar(*member.shape->element, part, member.shape->list->append(list)))
        return bad_argument(member, part);
    }
    violations_.check_list(*member.shape, list, path);
    return std::nullopt;
  }

  // x-amz-meta-NAME: all headers that begin so, by the rest of their name in small letters.
  std::optional<Fault> read_prefixed(const Member& member, void* field) {
    void* map = nullptr;
    for (const http::Header& header : head_.headers) {
      const std::string name = lower_case(header.name);
      if (!name.starts_with(member.name) || name.size() == member.name.size()) continue;
      if (!map) map = member.optional ? member.optional->emplace(field) : field;
      auto& value = *static_cast<std::string*>(
          member.shape->map->insert(map, name.substr(member.name.size())));
      value += value.empty() ? header.value
                             : "," + header.value;  // A header that comes twice is one list.
    }
    return std::nullopt;
  }

  std::optional<Fault> read_payload(const Member& member, void* field, const Path& path) {
    switch (member.shape->kind) {
      case Kind::stream: *static_cast<BodyReader**>(field) = body_.stream; return std::nullopt;
      case Kind::structure: break;
      default:
        if (!member.optional || !body_.bytes.empty())
          return read_text(member, body_.bytes, field, path);
        return std::nullopt;
    }
    if (body_.bytes.empty()) {
      if (member.required)
        return Fault{"MissingRequestBodyError", 400, "Request Body is empty", {}};
      return std::nullopt;
    }
    void* value = member.optional ? member.optional->emplace(field) : field;
    if (!read_xml(body_.bytes, operation_.input_root, *member.shape, value, path, violations_))
      return malformed(service_, {});
    return std::nullopt;
  }

  const Service& service_;
  const Operation& operation_;
  const http::RequestHead& head_;
  RequestBody body_;
  Violations violations_;
  const Path root_;
  Form query_;
  std::string bucket_, key_;
};

void write_headers(const Shape& shape, std::string_view method, const void* value,
                   http::Response& response) {
  for (const Member& member : shape.members) {
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (!field) continue;
    if (member.location == Location::header) {
      if (member.name == "Content-Length") {  // A body tells its own length; HEAD has to say what
                                              // it does not send.
        if (method == "HEAD")
          response.content_length = static_cast<uint64_t>(*static_cast<const int64_t*>(field));
        continue;
      }
      response.headers.push_back(
          {std::string(member.name),
           write_scalar(*member.shape, member.time, TimeFormat::http_date, field)});
    }
    if (member.location == Location::headers) {
      struct Context {
        const Member& member;
        http::Response& response;
      } context{member, response};
      member.shape->map->each(
          field, &context, [](void* opaque, const std::string& key, const void* entry) {
            const auto& context = *static_cast<Context*>(opaque);
            context.response.headers.push_back(
                {std::string(context.member.name) + key, *static_cast<const std::string*>(entry)});
          });
    }
    if (member.location == Location::status)
      response.status = static_cast<int>(*static_cast<const int64_t*>(field));
  }
}

// The text of the only member, when the root element itself is that member (GetBucketLocation).
void write_bare(const Shape& shape, const void* value, std::string& out) {
  for (const Member& member : shape.members) {
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (field)
      write_xml_text(write_scalar(*member.shape, member.time, TimeFormat::iso8601, field), out);
  }
}

}  // namespace

std::optional<Fault> read_rest(const Service& service, const Operation& operation,
                               const http::RequestHead& head, RequestBody body, void* target) {
  return RestReader(service, operation, head, body).read(target);
}

void write_rest(const Service& service, const Operation& operation, std::string_view method,
                void* value, http::Response& response) {
  const Shape& shape = *operation.output;
  response.status = operation.status;
  write_headers(shape, method, value, response);
  const Shape* body_shape = &shape;
  const void* body = value;
  if (shape.payload) {
    void* field = static_cast<char*>(value) + shape.payload->offset;
    if (shape.payload->shape->kind == Kind::stream) {
      response.stream = std::move(*static_cast<std::unique_ptr<http::BodySource>*>(field));
      return;
    }
    body_shape = shape.payload->shape;
    body = shape.payload->optional ? shape.payload->optional->get(field) : field;
    if (!body) return;
  }
  if (*operation.output_root == '\0') return;
  response.headers.push_back({"Content-Type", "application/xml"});
  response.body = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"{}\">",
                              operation.output_root, service.xml_namespace);
  if (operation.bare_root)
    write_bare(*body_shape, body, response.body);
  else
    write_xml_members(*body_shape, body, response.body);
  response.body += fmt::format("</{}>", operation.output_root);
}

}  // namespace laketap::wire
