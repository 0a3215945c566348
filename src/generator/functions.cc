#include "generator/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <span>

namespace laketap::generator {
namespace {

namespace json = boost::json;

// Modules of the original that are not served: naming one is not the user's mistake.
constexpr std::array kUnserved{"helpers", "address", "company",  "finance", "image", "lorem",
                               "hacker",  "phone",   "commerce", "system",  "fake",  "database"};

constexpr std::array kFirstNames{
    "Ada",  "Amir",  "Bea",   "Chen",  "Dana",  "Elif",  "Emil",   "Farah", "Grace", "Hugo", "Ines",
    "Ivan", "Jonas", "Kavya", "Kofi",  "Lena",  "Linus", "Marta",  "Mei",   "Nadia", "Noah", "Olga",
    "Omar", "Priya", "Rosa",  "Samir", "Sofia", "Tomas", "Ursula", "Viola", "Wanda", "Yuki"};
constexpr std::array kLastNames{"Adams",  "Bauer",  "Costa",  "Dubois", "Eriksen", "Fischer",
                                "Garcia", "Haddad", "Ito",    "Jensen", "Khan",    "Larsen",
                                "Moreau", "Nguyen", "Okafor", "Patel",  "Quinn",   "Rossi",
                                "Santos", "Tanaka", "Ueda",   "Vogel",  "Weber",   "Young"};
constexpr std::array kDomains{"example.com", "example.org", "example.net"};  // RFC 2606: nobody's.
constexpr std::array kWords{"river",  "ledger",  "copper", "signal",
                            "harbor", "lantern", "meadow", "orbit"};
constexpr std::array kMonths{"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};
constexpr std::array kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                           "Thursday", "Friday", "Saturday"};

template <size_t N>
std::string_view pick(const std::array<const char*, N>& list, Draw& draw) {
  return list[draw.below(N)];
}

double number_of(const json::value& value, double otherwise) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return value.is_double() ? value.get_double() : otherwise;
}
double member(const Argument& argument, const char* name, double otherwise) {
  if (!argument || !argument->is_object()) return otherwise;
  const json::value* found = argument->get_object().if_contains(name);
  return found ? number_of(*found, otherwise) : otherwise;
}

// A value as JavaScript makes it a text.
void append_text(std::string& out, const json::value& value) {
  if (value.is_string()) {
    out += std::string_view(value.get_string());
  } else if (value.is_object()) {
    out += "[object Object]";
  } else if (value.is_array()) {
    bool first = true;
    for (const json::value& element : value.get_array()) {
      if (!first) out += ',';
      first = false;
      if (!element.is_null()) append_text(out, element);
    }
  } else if (value.is_double()) {
    out += javascript_number(value.get_double());
  } else {
    out += json::serialize(value);
  }
}

// Inclusive of max when max >= 0, exclusive when it is negative; default 0..99999.
Result<> random_number(std::string& out, const Argument& argument, Draw& draw, Timestamp) {
  double min = 0;
  double max = 99999;
  double precision = 1;
  if (argument && argument->is_number()) {
    max = number_of(*argument, max);
  } else {
    min = member(argument, "min", min);
    max = member(argument, "max", max);
    precision = member(argument, "precision", precision);
  }
  if (!(precision > 0))
    return fail(ErrorKind::invalid, "random.number: precision must be positive");
  const double top = max >= 0 ? max + precision : max;
  const double steps = std::max(0.0, std::ceil((top - min) / precision - 1e-9));
  const double index = steps >= 1 ? std::floor(draw.unit() * steps) : 0;
  if (precision == 1 && std::abs(min) < 9e15 && steps < 9e15 && min == std::floor(min)) {
    fmt::format_to(std::back_inserter(out), "{}",
                   static_cast<int64_t>(min) + static_cast<int64_t>(index));
    return {};
  }
  // 1/precision first: 0.1 has no exact double, 10 has.
  const double inverse = std::round(1 / precision);
  const bool decimal = inverse >= 1 && std::abs(1 / inverse - precision) < 1e-12;
  out += javascript_number(decimal ? (std::round(min * inverse) + index) / inverse
                                   : min + index * precision);
  return {};
}

Result<> random_array_element(std::string& out, const Argument& argument, Draw& draw, Timestamp) {
  if (!argument) {
    out += "abc"[draw.below(3)];
  } else if (argument->is_string()) {  // Not JSON: the original then picks a character.
    const json::string& text = argument->get_string();
    if (text.empty())
      return fail(ErrorKind::invalid, "random.arrayElement: nothing to choose from");
    out += text[draw.below(text.size())];
  } else if (argument->is_array()) {
    const json::array& list = argument->get_array();
    if (list.empty()) {
      out += "undefined";
      return {};
    }
    append_text(out, list[draw.below(list.size())]);
  } else {
    out += "undefined";
  }
  return {};
}

// Cumulative weights are rounded to two decimals at each step, so thirds leave a gap of 0.01.
Result<> random_weighted(std::string& out, const Argument& argument, Draw& draw, Timestamp) {
  const json::object* object = argument ? argument->if_object() : nullptr;
  const json::value* weights = object ? object->if_contains("weights") : nullptr;
  const json::value* data = object ? object->if_contains("data") : nullptr;
  if (!weights || !data || !weights->is_array() || !data->is_array())
    return fail(ErrorKind::invalid,
                "random.weightedArrayElement: give {\"weights\":[..],\"data\":[..]}");
  const double drawn = draw.unit();
  double sum = 0;
  for (size_t i = 0; i < weights->get_array().size(); ++i) {
    sum = std::round((sum + number_of(weights->get_array()[i], 0)) * 100) / 100;
    if (drawn < sum) {
      if (i < data->get_array().size()) {
        append_text(out, data->get_array()[i]);
      } else {
        out += "undefined";
      }
      return {};
    }
  }
  out += "undefined";
  return {};
}

Result<> random_uuid(std::string& out, const Argument&, Draw& draw, Timestamp) {
  const uint64_t a = (draw.next() & ~0xf000ULL) | 0x4000ULL;
  const uint64_t b = (draw.next() & ~(3ULL << 62)) | 2ULL << 62;
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32,
                 a >> 16 & 0xffff, a & 0xffff, b >> 48, b & 0xffffffffffffULL);
  return {};
}
Result<> random_boolean(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += draw.below(2) ? "true" : "false";
  return {};
}
Result<> random_alphanumeric(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += "0123456789abcdefghijklmnopqrstuvwxyz"[draw.below(36)];
  return {};
}
Result<> random_word(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kWords, draw);
  return {};
}
Result<> random_words(std::string& out, const Argument& argument, Draw& draw, Timestamp) {
  const auto count =
      static_cast<uint64_t>(argument ? std::clamp(number_of(*argument, 3), 1.0, 100.0) : 3.0);
  for (uint64_t i = 0; i < count; ++i) {
    if (i > 0) out += ' ';
    out += pick(kWords, draw);
  }
  return {};
}

Result<> internet_ip(std::string& out, const Argument&, Draw& draw, Timestamp) {
  const uint64_t bits = draw.next();
  fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", bits & 255, bits >> 8 & 255,
                 bits >> 16 & 255, bits >> 24 & 255);
  return {};
}
Result<> internet_ipv6(std::string& out, const Argument&, Draw& draw, Timestamp) {
  for (int group = 0; group < 8; ++group)
    fmt::format_to(std::back_inserter(out), "{}{:04x}", group > 0 ? ":" : "", draw.below(65536));
  return {};
}
Result<> internet_mac(std::string& out, const Argument&, Draw& draw, Timestamp) {
  for (int byte = 0; byte < 6; ++byte)
    fmt::format_to(std::back_inserter(out), "{}{:02x}", byte > 0 ? ":" : "", draw.below(256));
  return {};
}
Result<> internet_user_name(std::string& out, const Argument&, Draw& draw, Timestamp) {
  const std::string_view first = pick(kFirstNames, draw);
  const std::string_view last = pick(kLastNames, draw);
  fmt::format_to(std::back_inserter(out), "{}_{}{}", first, last, draw.below(100));
  return {};
}
Result<> internet_email(std::string& out, const Argument& argument, Draw& draw, Timestamp now) {
  if (const Result<> named = internet_user_name(out, argument, draw, now); !named) return named;
  out += '@';
  out += pick(kDomains, draw);
  return {};
}
Result<> internet_domain(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kDomains, draw);
  return {};
}
Result<> internet_url(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += "https://";
  out += pick(kDomains, draw);
  return {};
}
Result<> internet_protocol(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += draw.below(2) ? "https" : "http";
  return {};
}
Result<> internet_color(std::string& out, const Argument&, Draw& draw, Timestamp) {
  fmt::format_to(std::back_inserter(out), "#{:06x}", draw.below(1 << 24));
  return {};
}
Result<> internet_password(std::string& out, const Argument& argument, Draw& draw, Timestamp) {
  const auto length =
      static_cast<int>(argument ? std::clamp(number_of(*argument, 15), 1.0, 1000.0) : 15.0);
  for (int i = 0; i < length; ++i)
    out += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[draw.below(62)];
  return {};
}
Result<> internet_session(std::string& out, const Argument& argument, Draw& draw, Timestamp now) {
  return random_uuid(out, argument, draw, now);
}

Result<> date_now(std::string& out, const Argument& argument, Draw&, Timestamp now) {
  out += argument && argument->is_string() ? moment_format(now, argument->get_string())
                                           : moment_format(now, "YYYY-MM-DDTHH:mm:ssZ");
  return {};
}
Result<> date_simulated(std::string&, const Argument&, Draw&, Timestamp) {
  return fail(ErrorKind::invalid, "date.simTime needs the generator's unlocked periodic mode");
}
void append_javascript_date(std::string& out, Timestamp at) {
  out += moment_format(at, "ddd MMM DD YYYY HH:mm:ss [GMT+0000 (Coordinated Universal Time)]");
}
constexpr double kDayMicros = 86400e6;
Result<> date_past(std::string& out, const Argument& argument, Draw& draw, Timestamp now) {
  const double years = argument ? std::clamp(number_of(*argument, 1), 0.01, 200.0) : 1.0;
  append_javascript_date(out, now - std::chrono::microseconds(static_cast<int64_t>(
                                        1e6 + draw.unit() * years * 365 * kDayMicros)));
  return {};
}
Result<> date_future(std::string& out, const Argument& argument, Draw& draw, Timestamp now) {
  const double years = argument ? std::clamp(number_of(*argument, 1), 0.01, 200.0) : 1.0;
  append_javascript_date(out, now + std::chrono::microseconds(static_cast<int64_t>(
                                        1e6 + draw.unit() * years * 365 * kDayMicros)));
  return {};
}
Result<> date_recent(std::string& out, const Argument& argument, Draw& draw, Timestamp now) {
  const double days = argument ? std::clamp(number_of(*argument, 1), 0.01, 36500.0) : 1.0;
  append_javascript_date(
      out,
      now - std::chrono::microseconds(static_cast<int64_t>(1e6 + draw.unit() * days * kDayMicros)));
  return {};
}
Result<> date_month(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kMonths, draw);
  return {};
}
Result<> date_weekday(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kDays, draw);
  return {};
}

Result<> name_first(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kFirstNames, draw);
  return {};
}
Result<> name_last(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kLastNames, draw);
  return {};
}
Result<> name_full(std::string& out, const Argument&, Draw& draw, Timestamp) {
  out += pick(kFirstNames, draw);
  out += ' ';
  out += pick(kLastNames, draw);
  return {};
}
Result<> name_prefix(std::string& out, const Argument&, Draw& draw, Timestamp) {
  static constexpr std::array kPrefixes{"Mr.", "Mrs.", "Ms.", "Dr."};
  out += pick(kPrefixes, draw);
  return {};
}
Result<> name_suffix(std::string& out, const Argument&, Draw& draw, Timestamp) {
  static constexpr std::array kSuffixes{"Jr.", "Sr.", "I", "II", "III", "MD", "PhD"};
  out += pick(kSuffixes, draw);
  return {};
}
Result<> name_job_title(std::string& out, const Argument&, Draw& draw, Timestamp) {
  static constexpr std::array kLevels{"Senior", "Lead", "Junior", "Chief"};
  static constexpr std::array kJobs{"Engineer", "Analyst", "Designer", "Planner", "Operator"};
  fmt::format_to(std::back_inserter(out), "{} {}", pick(kLevels, draw), pick(kJobs, draw));
  return {};
}

struct Named {
  std::string_view module, method;
  Function function;
};
constexpr Named kFunctions[] = {
    {"random", "number", random_number},
    {"random", "arrayElement", random_array_element},
    {"random", "weightedArrayElement", random_weighted},
    {"random", "uuid", random_uuid},
    {"random", "boolean", random_boolean},
    {"random", "alphaNumeric", random_alphanumeric},
    {"random", "word", random_word},
    {"random", "words", random_words},
    {"internet", "ip", internet_ip},
    {"internet", "ipv6", internet_ipv6},
    {"internet", "mac", internet_mac},
    {"internet", "userName", internet_user_name},
    {"internet", "email", internet_email},
    {"internet", "exampleEmail", internet_email},
    {"internet", "domainName", internet_domain},
    {"internet", "url", internet_url},
    {"internet", "protocol", internet_protocol},
    {"internet", "color", internet_color},
    {"internet", "password", internet_password},
    {"internet", "session", internet_session},
    {"date", "now", date_now},
    {"date", "utc", date_now},
    {"date", "simTime", date_simulated},
    {"date", "past", date_past},
    {"date", "future", date_future},
    {"date", "recent", date_recent},
    {"date", "month", date_month},
    {"date", "weekday", date_weekday},
    {"name", "firstName", name_first},
    {"name", "lastName", name_last},
    {"name", "findName", name_full},
    {"name", "prefix", name_prefix},
    {"name", "suffix", name_suffix},
    {"name", "jobTitle", name_job_title},
    {"name", "title", name_job_title},
};

}  // namespace

std::string javascript_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", value);  // The shortest text that reads back as the same double.
}

Result<Function> find_function(std::string_view module, std::string_view method) {
  bool known = false;
  for (const Named& named : kFunctions) {
    if (named.module != module) continue;
    known = true;
    if (named.method == method) return named.function;
  }
  if (known) return fail(ErrorKind::invalid, fmt::format("Invalid method: {}.{}", module, method));
  if (std::ranges::find(kUnserved, module) != kUnserved.end())
    return fail(ErrorKind::unsupported,
                fmt::format("module not served yet: {} (docs/gaps.md)", module));
  return fail(ErrorKind::invalid, fmt::format("Invalid module: {}", module));
}

}  // namespace laketap::generator
