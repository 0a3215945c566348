#include "wire/form.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/url.h"
#include "wire/check.h"
#include "wire/scalar.h"

namespace laketap::wire {
namespace {

constexpr int kDepthMax = 64;

std::optional<std::string> decode_form_text(std::string_view text) {
  if (!text.contains('+')) return http::percent_decode(text);
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  return http::percent_decode(blanks);
}

class FormReader {
 public:
  FormReader(const Service& service, const Form& form) : violations_(service), form_(form) {}

  // False when a value is of the wrong type; problem() then names it.
  bool structure(const Shape& shape, const std::string& prefix, void* target, const Path& path,
                 int depth) {
    if (depth > kDepthMax) return false;
    for (size_t place = 0; place < shape.members.size(); ++place) {
      const Member& member = shape.members[place];
      const std::string name =
          prefix.empty() ? std::string(member.name) : fmt::format("{}.{}", prefix, member.name);
      const Path step{&path, member.model_name, place, Path::Step::member, &member};
      if (!is_there(name)) {
        if (member.required) violations_.missing(step);
        continue;
      }
      void* field = static_cast<char*>(target) + member.offset;
      if (member.optional) field = member.optional->emplace(field);
      if (!read_value(*member.shape, name, field, step, depth, true)) return false;
    }
    return true;
  }

  Violations violations_;
  std::string problem_;

 private:
  bool read_value(const Shape& shape, const std::string& name, void* target, const Path& path,
                  int depth, bool alone) {
    switch (shape.kind) {
      case Kind::structure: return structure(shape, name, target, path, depth + 1);
      case Kind::list: return list(shape, name, target, path, depth + 1);
      case Kind::map: return map(shape, name, target, path, depth + 1);
      default: return scalar(shape, name, target, path, alone);
    }
  }

  bool scalar(const Shape& shape, const std::string& name, void* target, const Path& path,
              bool alone) {
    const std::string* text = form_.find(name);
    if (!text) {
      problem_ = fmt::format("Unexpected parameters below {}", name);
      return false;
    }
    if (!read_scalar(shape, *text, target)) {
      problem_ = fmt::format("Value ({}) for parameter {} is invalid", *text, name);
      return false;
    }
    if (!alone) return true;
    if (shape.kind == Kind::text) violations_.check_text(shape, *text, path);
    if (shape.kind == Kind::integer)
      violations_.check_number(shape, static_cast<double>(*static_cast<int64_t*>(target)), path);
    if (shape.kind == Kind::number)
      violations_.check_number(shape, *static_cast<double*>(target), path);
    if (shape.kind == Kind::blob)
      violations_.check_blob(shape, static_cast<Bytes*>(target)->size(), path);
    return true;
  }

  bool list(const Shape& shape, const std::string& name, void* target, const Path& path,
            int depth) {
    const std::string prefix =
        shape.flattened ? name : fmt::format("{}.{}", name, shape.element_name);
    size_t index = 0;
    for (const uint64_t number : numbers_below(prefix)) {
      const Path step{&path, {}, index++, Path::Step::element, nullptr};
      if (!read_value(*shape.element, fmt::format("{}.{}", prefix, number),
                      shape.list->append(target), step, depth, false))
        return false;
    }
    violations_.check_list(shape, target, path);
    return true;
  }

  bool map(const Shape& shape, const std::string& name, void* target, const Path& path, int depth) {
    const std::string prefix = shape.flattened ? name : name + ".entry";
    size_t index = 0;
    for (const uint64_t number : numbers_below(prefix)) {
      const std::string entry = fmt::format("{}.{}", prefix, number);
      const std::string* key = form_.find(fmt::format("{}.{}", entry, shape.key_name));
      const std::string value = fmt::format("{}.{}", entry, shape.value_name);
      if (!key || !is_there(value)) continue;
      const Path step{&path, *key, index++, Path::Step::entry, nullptr};
      if (!read_value(*shape.element, value, shape.map->insert(target, *key), step, depth, false))
        return false;
    }
    violations_.check_map(shape, target, path);
    return true;
  }

  // First pair whose key is not before `key`.
  auto from(std::string_view key) const {
    return std::ranges::lower_bound(
        form_.pairs, key, {}, [](const auto& pair) -> std::string_view { return pair.first; });
  }

  bool is_there(const std::string& name) const {
    if (form_.find(name)) return true;
    const std::string below = name + ".";
    const auto at = from(below);
    return at != form_.pairs.end() && at->first.starts_with(below);
  }

  // N of all keys PREFIX.N and PREFIX.N.*, ascending: gaps are allowed, as AWS allows them.
  std::vector<uint64_t> numbers_below(const std::string& prefix) const {
    const std::string below = prefix + ".";
    std::vector<uint64_t> numbers;
    for (auto at = from(below); at != form_.pairs.end() && at->first.starts_with(below); ++at) {
      const std::string_view rest = std::string_view(at->first).substr(below.size());
      const std::string_view digits = rest.substr(0, rest.find('.'));
      uint64_t number = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      const bool is_plain =
          std::to_string(number) == digits;  // No "01": it would be looked up as "1".
      if (error == std::errc() && end == digits.data() + digits.size() && is_plain)
        numbers.push_back(number);
    }
    std::ranges::sort(numbers);
    numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
    return numbers;
  }

  const Form& form_;
};

}  // namespace

const std::string* Form::find(std::string_view key) const {
  const auto at = std::ranges::lower_bound(
      pairs, key, {}, [](const auto& pair) -> std::string_view { return pair.first; });
  return at != pairs.end() && at->first == key ? &at->second : nullptr;
}

Result<Form> parse_form(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    if (form.pairs.size() == kFormPairsMax)
      return fail(ErrorKind::too_large, "too many parameters");
    const size_t equals = part.find('=');
    auto key = decode_form_text(part.substr(0, equals));
    auto value = decode_form_text(equals == std::string_view::npos ? std::string_view()
                                                                   : part.substr(equals + 1));
    if (!key || !value)
      return fail(ErrorKind::invalid, "a percent sign without two hexadecimal digits");
    form.pairs.emplace_back(std::move(*key), std::move(*value));
  }
  std::ranges::stable_sort(form.pairs, {}, &std::pair<std::string, std::string>::first);
  return form;
}

std::optional<Fault> read_form(const Service& service, const Shape& shape, const Form& form,
                               void* target) {
  FormReader reader(service, form);
  if (!reader.structure(shape, {}, target, {}, 0))
    return malformed(service, std::move(reader.problem_));
  if (!reader.violations_.empty()) return reader.violations_.fault();
  return std::nullopt;
}

}  // namespace laketap::wire
