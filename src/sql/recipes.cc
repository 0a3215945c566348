// How DuckDB says each function. Checked against a real Trino's answers by tests/sql/trino.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "sql/functions.h"

namespace laketap::sql {
namespace {

struct Recipe {
  std::string_view name;
  int arguments;  // -1: any number.
  std::string_view text;
};

// Same name and meaning in both.
constexpr std::string_view kSame[] = {
    "abs", "acos", "asin", "atan", "atan2", "bool_or", "ceil", "ceiling", "cos", "cosh", "count", "covar_pop", "covar_samp", "degrees", "exp", "floor",
    "geometric_mean", "kurtosis", "ln", "log2", "log10", "lower", "upper", "min", "pi", "power", "radians", "replace", "round", "sin", "sqrt", "starts_with",
    "stddev_pop", "stddev_samp", "strpos", "tan", "tanh", "uuid", "var_pop", "var_samp", "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "first_value",
    "last_value", "nth_value", "lag", "lead", "array_agg", "bool_and", "max", "map_keys", "map_values", "year", "month", "quarter", "hour", "minute", "grouping", "chr", "repeat_text"};

constexpr Recipe kRecipes[] = {
    // Aggregates.
    {"arbitrary", 1, "any_value($1)"},
    {"any_value", 1, "any_value($1)"},
    {"every", 1, "bool_and($1)"},
    {"count_if", 1, "count(CASE WHEN $1 THEN 1 END)"},
    {"max_by", 2, "arg_max_null($1, $2)"},
    {"min_by", 2, "arg_min_null($1, $2)"},
    {"max_by", 3, "list_slice(list($1 ORDER BY $2 DESC) FILTER (WHERE $2 IS NOT NULL), 1, $3)"},
    {"min_by", 3, "list_slice(list($1 ORDER BY $2 ASC) FILTER (WHERE $2 IS NOT NULL), 1, $3)"},
    {"approx_distinct", 1, "approx_count_distinct($1)"},
    {"approx_distinct", 2, "count(DISTINCT $1)"},
    {"approx_percentile", 2, "quantile_disc($1, 1 - $2 ORDER BY $1 DESC)"},
    {"bitwise_and_agg", 1, "bit_and(CAST($1 AS BIGINT))"},
    {"bitwise_or_agg", 1, "bit_or(CAST($1 AS BIGINT))"},
    {"stddev", 1, "stddev_samp($1)"},
    {"variance", 1, "var_samp($1)"},
    {"skewness", 1, "(skewness($1) * (count($1) - 2) / sqrt(count($1) * (count($1) - 1.0)))"},
    {"corr", 2, "CASE WHEN isfinite(corr($1, $2)) THEN corr($1, $2) END"},
    {"regr_slope", 2, "CASE WHEN isfinite(regr_slope($1, $2)) THEN regr_slope($1, $2) END"},
    {"regr_intercept", 2, "CASE WHEN isfinite(regr_intercept($1, $2)) THEN regr_intercept($1, $2) END"},
    {"histogram", 1, "CAST(histogram($1) AS $R)"},
    {"map_agg", 2, "map_from_entries(list_filter(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda e, i: i = list_position(list_transform(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda q: q[1]), e[1])))"},
    {"map_union", 1, "list_reduce(list($1) FILTER (WHERE $1 IS NOT NULL), lambda a, b: map_concat(b, a))"},
    {"multimap_agg", 2, "map_from_entries(list_transform(list_filter(list($1) FILTER (WHERE $1 IS NOT NULL), lambda k, i: i = list_position(list($1) FILTER (WHERE $1 IS NOT NULL), k)), lambda k: (k, list_transform(list_filter(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda p: p[1] = k), lambda p: p[2]))))"},
    {"listagg", 2, "string_agg($1, $2)"},
    {"listagg", 1, "string_agg($1, '')"},
    {"max", 2, "max($1, $2)"},
    {"min", 2, "min($1, $2)"},
    // Texts.
    {"length", 1, "length($1)"},
    {"substr", 2, "CASE WHEN $2 = 0 OR -($2) > length($1) THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE substr($1, $2) END"},
    {"substr", 3, "CASE WHEN $2 = 0 OR -($2) > length($1) OR $3 <= 0 THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE substr($1, $2, $3) END"},
    {"substring", 2, "CASE WHEN $2 = 0 OR -($2) > length($1) THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE substr($1, $2) END"},
    {"substring", 3, "CASE WHEN $2 = 0 OR -($2) > length($1) OR $3 <= 0 THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE substr($1, $2, $3) END"},
    {"concat", -1, "($*|| )"},
    {"concat_ws", -1, "concat_ws($*)"},
    {"split", 2, "string_split($1, $2)"},
    {"split_part", 3, "CASE WHEN $3 < 1 THEN error('Index must be greater than zero') ELSE string_split($1, $2)[$3] END"},
    {"strpos", 3, "CASE WHEN $3 = 0 THEN error('''instance'' must be a positive or negative number.') ELSE coalesce(list_filter(range(1, length($1) + 2 - length($2)), lambda i: starts_with(substr($1, i), $2))[$3], 0) END"},
    {"reverse_text", 1, "CASE WHEN strlen($1) = length($1) THEN reverse($1) ELSE array_to_string(list_reverse(string_split($1, '')), '') END"},
    {"trim", 1, "regexp_replace($1, '^\\s+|\\s+$', '', 'g')"},
    {"ltrim", 1, "regexp_replace($1, '^\\s+', '')"},
    {"rtrim", 1, "regexp_replace($1, '\\s+$', '')"},
    {"trim", 2, "trim($1, $2)"},
    {"ltrim", 2, "ltrim($1, $2)"},
    {"rtrim", 2, "rtrim($1, $2)"},
    {"lpad", 3, "CASE WHEN $2 < 0 THEN error('Target length must be in the range [0..2147483647]') WHEN length($3) = 0 THEN error('Padding string must not be empty') ELSE lpad($1, CAST($2 AS INTEGER), $3) END"},
    {"rpad", 3, "CASE WHEN $2 < 0 THEN error('Target length must be in the range [0..2147483647]') WHEN length($3) = 0 THEN error('Padding string must not be empty') ELSE rpad($1, CAST($2 AS INTEGER), $3) END"},
    {"replace", 2, "replace($1, $2, '')"},
    {"codepoint", 1, "CAST(unicode($1) AS INTEGER)"},
    {"translate", 3, "translate($1, $2, $3)"},
    {"levenshtein_distance", 2, "levenshtein($1, $2)"},
    {"hamming_distance", 2, "hamming($1, $2)"},
    {"word_stem", 1, "stem($1, 'porter')"},
    {"format_number", 1, "format('{:,}', $1)"},
    {"to_utf8", 1, "encode($1)"},
    {"from_utf8", 1, "decode($1)"},
    {"normalize", 1, "nfc_normalize($1)"},
    {"ends_with", 2, "ends_with($1, $2)"},
    {"regexp_like", 2, "regexp_matches($1, $2)"},
    {"regexp_extract", 2, "CASE WHEN regexp_matches($1, $2) THEN regexp_extract($1, $2) END"},
    {"regexp_extract", 3, "CASE WHEN regexp_matches($1, $2) THEN nullif(regexp_extract($1, $2, CAST($3 AS INTEGER)), '') END"},
    {"regexp_extract_all", 2, "regexp_extract_all($1, $2)"},
    {"regexp_extract_all", 3, "regexp_extract_all($1, $2, CAST($3 AS INTEGER))"},
    {"regexp_replace", 2, "regexp_replace($1, $2, '', 'g')"},
    {"regexp_replace", 3, "regexp_replace($1, $2, regexp_replace($3, '\\$(\\d)', '\\\\\\1', 'g'), 'g')"},
    {"regexp_split", 2, "regexp_split_to_array($1, $2)"},
    {"regexp_count", 2, "CAST(len(regexp_extract_all($1, $2)) AS BIGINT)"},
    {"url_decode", 1, "url_decode(replace($1, '+', ' '))"},
    {"url_encode", 1, "replace(url_encode($1), '%20', '+')"},
    {"url_extract_host", 1, "nullif(regexp_extract($1, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]*)', 1), '')"},
    {"url_extract_path", 1, "regexp_extract($1, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)', 1)"},
    {"url_extract_protocol", 1, "nullif(regexp_extract($1, '^([a-zA-Z][a-zA-Z0-9+.-]*):', 1), '')"},
    {"url_extract_query", 1, "nullif(regexp_extract($1, '^[^?#]*\\?([^#]*)', 1), '')"},
    {"url_extract_fragment", 1, "nullif(regexp_extract($1, '#(.*)$', 1), '')"},
    // Bytes.
    {"to_hex", 1, "hex($1)"},
    {"from_hex", 1, "unhex($1)"},
    {"to_base64", 1, "to_base64($1)"},
    {"from_base64", 1, "from_base64($1)"},
    {"md5", 1, "unhex(md5($1))"},
    {"sha1", 1, "unhex(sha1($1))"},
    {"sha256", 1, "unhex(sha256($1))"},
    // Numbers.
    {"sign_any", 1, "CASE WHEN isnan(CAST($1 AS DOUBLE)) THEN CAST($1 AS $R) ELSE CAST(sign($1) AS $R) END"},
    {"cbrt", 1, "CAST(round(cbrt($1), 15) AS DOUBLE)"},
    {"e", 0, "exp(1)"},
    {"infinity", 0, "CAST('Infinity' AS DOUBLE)"},
    {"nan", 0, "CAST('NaN' AS DOUBLE)"},
    {"is_finite", 1, "isfinite($1)"},
    {"is_infinite", 1, "isinf($1)"},
    {"is_nan", 1, "isnan($1)"},
    {"log", 2, "(ln($2) / ln($1))"},
    {"mod", 2, "($1 % $2)"},
    {"pow", 2, "power($1, $2)"},
    {"rand", 0, "random()"},
    {"random", 0, "random()"},
    {"rand", 1, "CAST(floor(random() * $1) AS $R)"},
    {"random", 1, "CAST(floor(random() * $1) AS $R)"},
    {"random", 2, "CAST(floor(random() * ($2 - $1)) + $1 AS $R)"},
    {"truncate", 1, "trunc($1)"},
    {"truncate", 2, "trunc($1, $2)"},
    {"to_base", 2, "CASE WHEN $1 < 0 THEN '-' || lower(to_base(-($1), CAST($2 AS INTEGER))) ELSE lower(to_base($1, CAST($2 AS INTEGER))) END"},
    {"width_bucket", 2, "CAST(len(list_filter($2, lambda b: b <= $1)) AS BIGINT)"},
    {"bitwise_and", 2, "($1 & $2)"},
    {"bitwise_or", 2, "($1 | $2)"},
    {"bitwise_xor", 2, "xor($1, $2)"},
    {"bitwise_not", 1, "(~($1))"},
    {"bit_count", 2, "CASE WHEN $2 = 64 THEN CAST(bit_count(CAST($1 AS BIGINT)) AS BIGINT) ELSE CAST(bit_count(CAST($1 AS HUGEINT) & ((CAST(1 AS HUGEINT) << CAST($2 AS INTEGER)) - 1)) AS BIGINT) END"},
    {"bitwise_right_shift_arithmetic", 2, "CASE WHEN $2 >= 64 THEN CASE WHEN $1 < 0 THEN -1 ELSE 0 END ELSE $1 >> CAST($2 AS INTEGER) END"},
    {"bitwise_left_shift", 2, "($1 << $2)"},
    {"bitwise_right_shift", 2, "($1 >> $2)"},
    // Arrays.
    {"array_distinct", 1, "list_filter($1, lambda e, i: list_position($1, e) = i)"},
    {"array_intersect", 2, "list_filter($1, lambda e, i: list_position($1, e) = i AND list_position($2, e) IS NOT NULL)"},
    {"array_union", 2, "list_filter($1 || $2, lambda e, i: list_position($1 || $2, e) = i)"},
    {"array_except", 2, "list_filter($1, lambda e, i: list_position($1, e) = i AND list_position($2, e) IS NULL)"},
    {"array_join", 2, "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN coalesce(array_to_string($1, $2), '') END"},
    {"array_join", 3, "array_to_string(list_transform($1, lambda e: coalesce(CAST(e AS VARCHAR), $3)), $2)"},
    {"array_max", 1, "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN list_max($1) END"},
    {"array_min", 1, "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN list_min($1) END"},
    {"array_position", 2, "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN CAST(coalesce(list_position($1, $2), 0) AS BIGINT) END"},
    {"array_remove", 2, "CASE WHEN $2 IS NOT NULL THEN list_filter($1, lambda e: e IS NULL OR e <> $2) END"},
    {"array_sort", 1, "list_sort($1, 'ASC', 'NULLS LAST')"},
    {"arrays_overlap", 2, "CASE WHEN list_has_any($1, $2) THEN true WHEN len(list_filter($1, lambda e: e IS NULL)) > 0 AND len($2) > 0 OR len(list_filter($2, lambda e: e IS NULL)) > 0 AND len($1) > 0 THEN NULL WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN false END"},
    {"cardinality_array", 1, "CAST(len($1) AS BIGINT)"},
    {"cardinality_map", 1, "CAST(cardinality($1) AS BIGINT)"},
    {"contains", 2, "CASE WHEN list_contains($1, $2) THEN true WHEN $1 IS NULL OR $2 IS NULL OR len(list_filter($1, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END"},
    {"element_at_array", 2, "CASE WHEN $2 = 0 THEN error('SQL array indices start at 1') ELSE $1[$2] END"},
    {"element_at_map", 2, "$1[$2]"},
    {"flatten", 1, "flatten($1)"},
    {"ngrams", 2, "list_transform(range(1, greatest(len($1) - $2 + 2, 2)), lambda i: $1[i:i + $2 - 1])"},
    {"repeat", 2, "list_transform(range($2), lambda i: $1)"},
    {"reverse_array", 1, "list_reverse($1)"},
    {"sequence", 2, "CASE WHEN $1 <= $2 THEN generate_series($1, $2) ELSE generate_series($1, $2, -1) END"},
    {"sequence", 3, "generate_series($1, $2, $3)"},
    {"shuffle", 1, "list_sort_by_random($1)"},
    {"slice", 3, "CASE WHEN $2 = 0 THEN error('SQL array indices start at 1') WHEN $3 < 0 THEN error('length must be greater than or equal to 0') WHEN $2 < 0 THEN CASE WHEN -($2) > len($1) THEN $1[1:0] ELSE $1[len($1) + $2 + 1 : len($1) + $2 + $3] END ELSE $1[$2 : $2 + $3 - 1] END"},
    {"trim_array", 2, "CASE WHEN $2 < 0 OR $2 > len($1) THEN error('size must not exceed array cardinality') ELSE $1[1 : len($1) - $2] END"},
    {"combinations", 2, ""},
    {"all_match", 2, "CASE WHEN len(list_filter($1, lambda x: NOT ($2)(x))) > 0 THEN false END"},
    {"filter", 2, "list_filter($1, $2)"},
    {"transform", 2, "list_transform($1, $2)"},
    {"zip", 2, "list_zip($1, $2)"},
    {"zip", 3, "list_zip($1, $2, $3)"},
    // Maps.
    {"map", 0, "MAP {}"},
    {"map", 2, "map($1, $2)"},
    {"map_entries", 1, "list_transform(map_entries($1), lambda e: (e.key, e.value))"},
    {"map_from_entries", 1, "map_from_entries($1)"},
    {"map_concat", -1, "map_concat($*)"},
    // Dates.
    {"date_trunc", 2, "date_trunc($1, $2)"},
    {"date_diff", 3, "datesub($1, $2, $3)"},
    {"day", 1, "day($1)"},
    {"day_of_month", 1, "day($1)"},
    {"day_of_week", 1, "isodow($1)"},
    {"dow", 1, "isodow($1)"},
    {"day_of_year", 1, "dayofyear($1)"},
    {"doy", 1, "dayofyear($1)"},
    {"week", 1, "week($1)"},
    {"week_of_year", 1, "week($1)"},
    {"year_of_week", 1, "isoyear($1)"},
    {"yow", 1, "isoyear($1)"},
    {"second", 1, "second($1)"},
    {"millisecond", 1, "(millisecond($1) % 1000)"},
    {"last_day_of_month", 1, "CAST(last_day($1) AS DATE)"},
    {"from_unixtime", 1, "to_timestamp($1)"},
    {"to_unixtime", 1, "CAST(epoch($1) AS DOUBLE)"},
    {"from_iso8601_date", 1, "CAST($1 AS DATE)"},
    {"from_iso8601_timestamp", 1, "CAST($1 AS TIMESTAMPTZ)"},
    {"to_iso8601_date", 1, "strftime($1, '%Y-%m-%d')"},
    {"date", 1, "CAST($1 AS DATE)"},
    {"to_milliseconds", 1, "epoch_ms($1)"},
    // JSON.
    {"json_extract_scalar", 2, "CASE WHEN CASE WHEN json_valid($1) THEN json_type($1, $2) END IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL WHEN json_valid($1) THEN json_extract_string($1, $2) END"},
    {"json_extract", 2, "CASE WHEN json_valid($1) THEN json_extract($1, $2) END"},
    {"json_parse", 1, "CAST($1 AS JSON)"},
    {"json_format", 1, "CAST($1 AS VARCHAR)"},
    {"json_array_length", 1, "CASE WHEN CASE WHEN json_valid($1) THEN json_type($1) END = 'ARRAY' THEN CAST(json_array_length($1) AS BIGINT) END"},
    {"json_size", 2, "CASE WHEN json_valid($1) THEN CASE json_type($1, $2) WHEN 'ARRAY' THEN CAST(json_array_length($1, $2) AS BIGINT) WHEN 'OBJECT' THEN CAST(len(json_keys($1, $2)) AS BIGINT) ELSE CAST(CASE WHEN json_exists($1, $2) THEN 0 END AS BIGINT) END END"},
    {"is_json_scalar", 1, "(json_type($1) NOT IN ('OBJECT', 'ARRAY'))"},
    // Others.
    {"fail", 1, "error($1)"},
    {"version", 0, "'403'"},
};

std::string find(std::string_view name, size_t count) {
  for (const Recipe& recipe : kRecipes)
    if (recipe.name == name && (recipe.arguments == -1 || recipe.arguments == static_cast<int>(count))) return std::string(recipe.text);
  for (const std::string_view same : kSame)
    if (same == name) return fmt::format("{}($*)", name);
  return "";
}

}  // namespace

std::string function_recipe(std::string_view name, const std::vector<Type>& types, const Type& result) {
  const Type first = types.empty() ? Type() : types[0];
  if (name == "sum" && first.is_integer()) return "CAST(sum($1) AS BIGINT)";
  if (name == "sum" && first.is(Kind::real)) return "CAST(sum($1) AS FLOAT)";
  if (name == "sum" && first.is(Kind::interval_day)) return "to_microseconds(CAST(sum(epoch_us($1)) AS BIGINT))";
  if (name == "sum") return "sum($1)";
  if (name == "avg" && first.is(Kind::real)) return "CAST(avg($1) AS FLOAT)";
  if (name == "avg" && first.is(Kind::decimal))
    return fmt::format("CAST(decimal_average(CAST($1 AS DECIMAL({},{}))) AS $R)", std::min(38, first.precision + 12), std::min(first.scale + 12, 38 - (first.precision - first.scale)));
  if (name == "avg") return "avg($1)";
  if ((name == "max" || name == "min") && types.size() == 1 && first.is_floating()) return fmt::format("coalesce({0}($1) FILTER (WHERE NOT isnan($1)), {0}($1))", name);
  if (name == "cardinality") return find(first.is(Kind::map) ? "cardinality_map" : "cardinality_array", 1);
  if (name == "element_at") return find(first.is(Kind::map) ? "element_at_map" : "element_at_array", 2);
  if (name == "reverse") return find(first.is(Kind::array) ? "reverse_array" : "reverse_text", 1);
  if (name == "sign") return find("sign_any", 1);
  if (name == "concat" && first.is(Kind::array)) return "($*|| )";
  if (name == "length" && first.is(Kind::varbinary)) return "CAST(octet_length($1) AS BIGINT)";
  if ((name == "ceil" || name == "ceiling" || name == "floor" || name == "round" || name == "truncate") && first.is(Kind::decimal))
    return fmt::format("CAST({}($*) AS $R)", name == "truncate" ? "trunc" : name);
  if ((name == "ceil" || name == "ceiling" || name == "floor" || name == "round") && first.is_integer() && types.size() == 1) return "$1";
  if (name == "to_iso8601" && first.is(Kind::date)) return find("to_iso8601_date", 1);
  if (name == "last_day_of_month") return "last_day($1)";
  if (name == "date_trunc" && result.is(Kind::date)) return "CAST(date_trunc($1, $2) AS DATE)";
  if (name == "date_add" && types.size() == 3) {
    static constexpr std::string_view kText =
        "CASE lower($1) WHEN 'millisecond' THEN $3 + to_milliseconds($2) WHEN 'second' THEN $3 + to_seconds($2) WHEN 'minute' THEN $3 + to_minutes($2) WHEN 'hour' THEN $3 + to_hours($2) "
        "WHEN 'day' THEN $3 + to_days(CAST($2 AS INTEGER)) WHEN 'week' THEN $3 + to_weeks(CAST($2 AS INTEGER)) WHEN 'month' THEN $3 + to_months(CAST($2 AS INTEGER)) "
        "WHEN 'quarter' THEN $3 + to_months(CAST(3 * $2 AS INTEGER)) WHEN 'year' THEN $3 + to_years(CAST($2 AS INTEGER)) END";
    return fmt::format("CAST({} AS $R)", kText);
  }
  if (name == "combinations" || name == "all_match") return "";
  return find(name, types.size());
}

}  // namespace laketap::sql
