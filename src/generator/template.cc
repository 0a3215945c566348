#include "generator/template.h"

#include <boost/json.hpp>
#include <variant>

#include "generator/functions.h"

namespace laketap::generator {
namespace {

// A template that expands into ever more tags ends here.
constexpr size_t kTagsMax = 10'000;
constexpr size_t kRecordBytesMax = 1'024'000;  // Firehose model, shape Data.

constexpr std::string_view kClickstream = R"({
    "customerId": "{{random.number(500)}}",
    "ipAddress": "{{internet.ip}}",
    "countryCode": "{{random.arrayElement(["US","UK","SG","ID","CN","AUS","TH","MY","PH","VN","IN"])}}",
    "gender": "{{random.arrayElement(["M","F"])}}",
    "trafficOrigin": "{{random.arrayElement(["webAd","mobileAd","search","direct","email"])}}",
    "event": {
        "type": "{{random.arrayElement(["search","viewDetail","addToCart","checkout","addToWishlist","removeFromCart"])}}",
        "product": "{{random.arrayElement(["","shoes","bags","cosmetics","apparel"])}}",
        "amount": {{random.number({"min":50,"max":300})}}
    }
})";

struct Call {
  Function function;
  Argument argument;
};

// `token` is what stands between the braces: module.method(argument).
Result<Call> parse_call(std::string_view token) {
  std::string method(token);
  std::string parameters;
  const size_t open = method.find('(');
  if (open != std::string::npos) {
    const size_t close = method.find(')', open);
    if (close != std::string::npos && close > open + 1) {
      parameters = method.substr(open + 1, close - open - 1);
      method.erase(open, close - open + 1);
    } else if (close == open + 1) {
      method.erase(open, 2);  // random.uuid(): the same as without.
    }
  }
  const size_t dot = method.find('.');
  const std::string module = method.substr(0, dot);
  std::string name = dot == std::string::npos ? "undefined" : method.substr(dot + 1);
  name = name.substr(0, name.find('.'));
  const Result<Function> function = find_function(module, name);
  if (!function) return fail(function.error());

  Argument argument;
  if (!parameters.empty()) {
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(parameters, error);
    argument = error ? boost::json::value(boost::json::string(parameters)) : std::move(value);
  }
  return Call{*function, std::move(argument)};
}

// The generator deletes newlines and keeps the indentation.
std::string clean(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  std::string out;
  for (const char c : text)
    if (c != '\n') out += c;
  static constexpr std::string_view kOldName = "{{current.timestamp}}";
  if (const size_t at = out.find(kOldName); at != std::string::npos)
    out.replace(at, kOldName.size(), "{{date.now}}");
  return out;
}

bool may_expand_again(const Argument& argument) {
  return argument && boost::json::serialize(*argument).find_first_of("$") != std::string::npos;
}

// JavaScript's String.replace: `$$` and `$&` in the new text have a meaning.
std::string replacement(std::string_view result, std::string_view matched) {
  std::string out;
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i] == '$' && i + 1 < result.size() &&
        (result[i + 1] == '$' || result[i + 1] == '&')) {
      if (result[++i] == '$') {
        out += '$';
      } else {
        out += matched;
      }
    } else {
      out += result[i];
    }
  }
  return out;
}

}  // namespace

struct Template::Part {
  std::string literal;  // Comes before the call.
  std::optional<Call> call;
};

Result<Template> Template::parse(std::string_view text) {
  Template made;
  made.cleaned_ = clean(text);
  if (made.cleaned_.empty()) return fail(ErrorKind::invalid, "string parameter is required!");
  std::string_view rest = made.cleaned_;
  bool closed_early = false;  // A }} stands before the next tag: the original then finds no name.
  while (true) {
    const size_t open = rest.find("{{");
    const size_t close = rest.find("}}");
    auto part = std::make_shared<Part>();
    if (open == std::string_view::npos || (close == std::string_view::npos && !closed_early)) {
      part->literal = rest;
      made.parts_.push_back(std::move(part));
      return made;
    }
    if (closed_early || close < open) return fail(ErrorKind::invalid, "Invalid module: ");
    const std::string_view token = rest.substr(open + 2, close - open - 2);
    Result<Call> call = parse_call(token);
    if (!call) return fail(call.error());
    const std::string argument = call->argument ? boost::json::serialize(*call->argument) : "";
    const bool textual = token.contains("rrayElement");
    if (may_expand_again(call->argument) || (textual && argument.find("{{") != std::string::npos))
      made.rescan_ = true;
    part->literal = rest.substr(0, open);
    part->call = std::move(*call);
    made.parts_.push_back(std::move(part));
    rest.remove_prefix(close + 2);
    if (made.parts_.size() > kTagsMax)
      return fail(ErrorKind::too_large, "too many tags in the template");
  }
}

Result<> Template::render_onto(std::string& target, Draw& draw, Timestamp now) const {
  if (rescan_) {
    std::string text = cleaned_;
    for (size_t tags = 0;; ++tags) {
      const size_t open = text.find("{{");
      const size_t close = text.find("}}");
      if (open == std::string::npos || close == std::string::npos) break;
      if (close < open) return fail(ErrorKind::invalid, "Invalid module: ");
      if (tags > kTagsMax || text.size() > kRecordBytesMax)
        return fail(ErrorKind::too_large, "the template never ends expanding");
      const Result<Call> call =
          parse_call(std::string_view(text).substr(open + 2, close - open - 2));
      if (!call) return fail(call.error());
      std::string result;
      if (const Result<> made = call->function(result, call->argument, draw, now); !made)
        return made;
      const std::string matched = text.substr(open, close + 2 - open);
      text.replace(open, matched.size(), replacement(result, matched));
    }
    target += text;
    return {};
  }
  for (const auto& part : parts_) {
    target += part->literal;
    if (!part->call) continue;
    if (const Result<> made = part->call->function(target, part->call->argument, draw, now); !made)
      return made;
  }
  return {};
}

Result<std::string> Template::render(Draw& draw, Timestamp now) const {
  std::string out;
  if (const Result<> made = render_onto(out, draw, now); !made) return fail(made.error());
  return out;
}

std::string_view builtin_template(std::string_view name) {
  return name == "builtin:clickstream" ? kClickstream : std::string_view();
}

}  // namespace laketap::generator
