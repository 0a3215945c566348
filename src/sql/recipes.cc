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
    "abs",        "acos",         "asin",       "atan",        "atan2",          "bool_or",
    "ceil",       "ceiling",      "cos",        "cosh",        "count",          "covar_pop",
    "covar_samp", "degrees",      "exp",        "floor",       "geometric_mean", "kurtosis",
    "ln",         "log2",         "log10",      "lower",       "upper",          "min",
    "pi",         "power",        "radians",    "replace",     "round",          "sin",
    "sqrt",       "starts_with",  "stddev_pop", "stddev_samp", "strpos",         "tan",
    "tanh",       "uuid",         "var_pop",    "var_samp",    "row_number",     "rank",
    "dense_rank", "percent_rank", "cume_dist",  "ntile",       "first_value",    "last_value",
    "nth_value",  "lag",          "lead",       "array_agg",   "bool_and",       "max",
    "map_keys",   "map_values",   "year",       "month",       "quarter",        "hour",
    "minute",     "grouping",     "repeat_text"};

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
    {"regr_intercept", 2,
     "CASE WHEN isfinite(regr_intercept($1, $2)) THEN regr_intercept($1, $2) END"},
    {"histogram", 1, "CAST(histogram($1) AS $R)"},
    {"map_agg", 2,
     "map_from_entries(list_filter(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda e, i: i = "
     "list_position(list_transform(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda q: q[1]), "
     "e[1])))"},
    {"map_union", 1,
     "list_reduce(list($1) FILTER (WHERE $1 IS NOT NULL), lambda a, b: map_concat(b, a))"},
    {"multimap_agg", 2,
     "map_from_entries(list_transform(list_filter(list($1) FILTER (WHERE $1 IS NOT NULL), lambda "
     "k, i: i = list_position(list($1) FILTER (WHERE $1 IS NOT NULL), k)), lambda k: (k, "
     "list_transform(list_filter(list(($1, $2)) FILTER (WHERE $1 IS NOT NULL), lambda p: p[1] = "
     "k), lambda p: p[2]))))"},
    {"listagg", 2, "string_agg($1, $2)"},
    {"listagg", 1, "string_agg($1, '')"},
    {"max", 2, "max($1, $2)"},
    {"min", 2, "min($1, $2)"},
    // Texts.
    {"length", 1, "length($1)"},
    {"substr", 2,
     "CASE WHEN $2 = 0 OR -($2) > length($1) THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE "
     "substr($1, $2) END"},
    {"substr", 3,
     "CASE WHEN $2 = 0 OR -($2) > length($1) OR $3 <= 0 THEN (CASE WHEN $1 IS NOT NULL THEN '' "
     "END) ELSE substr($1, $2, $3) END"},
    {"substring", 2,
     "CASE WHEN $2 = 0 OR -($2) > length($1) THEN (CASE WHEN $1 IS NOT NULL THEN '' END) ELSE "
     "substr($1, $2) END"},
    {"substring", 3,
     "CASE WHEN $2 = 0 OR -($2) > length($1) OR $3 <= 0 THEN (CASE WHEN $1 IS NOT NULL THEN '' "
     "END) ELSE substr($1, $2, $3) END"},
    {"concat", -1, "($*|| )"},
    {"concat_ws", -1, "concat_ws($*)"},
    {"split", 2, "string_split($1, $2)"},
    {"split_part", 3,
     "CASE WHEN $3 < 1 THEN error('Index must be greater than zero') ELSE string_split($1, $2)[$3] "
     "END"},
    {"strpos", 3,
     "CASE WHEN $3 = 0 THEN error('''instance'' must be a positive or negative number.') ELSE "
     "coalesce(list_filter(range(1, length($1) + 2 - length($2)), lambda i: starts_with(substr($1, "
     "i), $2))[$3], 0) END"},
    {"reverse_text", 1,
     "CASE WHEN strlen($1) = length($1) THEN reverse($1) ELSE "
     "array_to_string(list_reverse(string_split($1, '')), '') END"},
    {"trim", 1,
     "regexp_replace($1, "
     "'^[\\s\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{2028}\\x{2029}\\x{205F}\\x{3000}]+|["
     "\\s\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{2028}\\x{2029}\\x{205F}\\x{3000}]+$', "
     "'', 'g')"},
    {"ltrim", 1,
     "regexp_replace($1, "
     "'^[\\s\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{2028}\\x{2029}\\x{205F}\\x{3000}]+',"
     " '')"},
    {"rtrim", 1,
     "regexp_replace($1, "
     "'[\\s\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{2028}\\x{2029}\\x{205F}\\x{3000}]+$',"
     " '')"},
    {"trim", 2, "trim($1, $2)"},
    {"ltrim", 2, "ltrim($1, $2)"},
    {"rtrim", 2, "rtrim($1, $2)"},
    {"lpad", 3,
     "CASE WHEN $2 < 0 THEN error('Target length must be in the range [0..2147483647]') WHEN "
     "length($3) = 0 THEN error('Padding string must not be empty') ELSE lpad($1, CAST($2 AS "
     "INTEGER), $3) END"},
    {"rpad", 3,
     "CASE WHEN $2 < 0 THEN error('Target length must be in the range [0..2147483647]') WHEN "
     "length($3) = 0 THEN error('Padding string must not be empty') ELSE rpad($1, CAST($2 AS "
     "INTEGER), $3) END"},
    {"replace", 2, "replace($1, $2, '')"},
    {"codepoint", 1, "CAST(unicode($1) AS INTEGER)"},
    {"translate", 3, "translate($1, $2, $3)"},
    {"levenshtein_distance", 2, "levenshtein($1, $2)"},
    {"hamming_distance", 2, "hamming($1, $2)"},
    {"word_stem", 1, "stem($1, 'porter')"},
    {"format_number", 1, "format('{:,}', $1)"},
    {"to_utf8", 1, "encode($1)"},
    {"from_utf8", 1, "decode($1, 'replace')"},
    {"normalize", 1, "nfc_normalize($1)"},
    {"ends_with", 2, "ends_with($1, $2)"},
    {"regexp_like", 2, "regexp_matches($1, $2)"},
    {"regexp_extract", 2, "CASE WHEN regexp_matches($1, $2) THEN regexp_extract($1, $2) END"},
    {"regexp_extract", 3,
     "CASE WHEN regexp_matches($1, $2) THEN nullif(regexp_extract($1, $2, CAST($3 AS INTEGER)), "
     "'') END"},
    {"regexp_extract_all", 2, "regexp_extract_all($1, $2)"},
    {"regexp_extract_all", 3, "regexp_extract_all($1, $2, CAST($3 AS INTEGER))"},
    {"regexp_replace", 2, "regexp_replace($1, $2, '', 'g')"},
    {"regexp_replace", 3,
     "regexp_replace($1, $2, regexp_replace($3, '\\$(\\d)', '\\\\\\1', 'g'), 'g')"},
    {"regexp_split", 2,
     "CASE WHEN $2 = '' THEN list_append(list_prepend('', string_split($1, '')), '') ELSE "
     "string_split_regex($1, $2) END"},
    {"regexp_count", 2, "CAST(len(regexp_extract_all($1, $2)) AS BIGINT)"},
    {"url_decode", 1, "url_decode(replace($1, '+', ' '))"},
    {"url_encode", 1, "replace(url_encode($1), '%20', '+')"},
    {"url_extract_host", 1,
     "regexp_extract($1, '^[A-Za-z][A-Za-z0-9+.\\-]*://(?:[^/?#@]*@)?([^/?#:]*)', 1)"},
    {"url_extract_path", 1,
     "url_decode(coalesce(regexp_extract_all($1, "
     "'^(?:([A-Za-z][A-Za-z0-9+.\\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$', "
     "3)[1], ''))"},
    {"url_extract_protocol", 1,
     "coalesce(regexp_extract_all($1, "
     "'^(?:([A-Za-z][A-Za-z0-9+.\\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$', "
     "1)[1], '')"},
    {"url_extract_query", 1,
     "url_decode(coalesce(regexp_extract_all($1, "
     "'^(?:([A-Za-z][A-Za-z0-9+.\\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$', "
     "4)[1], ''))"},
    {"url_extract_fragment", 1,
     "url_decode(coalesce(regexp_extract_all($1, "
     "'^(?:([A-Za-z][A-Za-z0-9+.\\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\\?([^#]*))?(?:#(.*))?$', "
     "5)[1], ''))"},
    // Bytes.
    {"to_hex", 1, "hex($1)"},
    {"from_hex", 1, "unhex($1)"},
    {"to_base64", 1, "to_base64($1)"},
    {"from_base64", 1, "from_base64($1)"},
    {"md5", 1, "unhex(md5($1))"},
    {"sha1", 1, "unhex(sha1($1))"},
    {"sha256", 1, "unhex(sha256($1))"},
    // Numbers.
    {"sign_any", 1,
     "CASE WHEN isnan(CAST($1 AS DOUBLE)) THEN CAST($1 AS $R) ELSE CAST(sign($1) AS $R) END"},
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
    {"to_base", 2,
     "CASE WHEN $1 < 0 THEN '-' || lower(to_base(-($1), CAST($2 AS INTEGER))) ELSE "
     "lower(to_base($1, CAST($2 AS INTEGER))) END"},
    {"width_bucket", 2, "CAST(len(list_filter($2, lambda b: b <= $1)) AS BIGINT)"},
    {"bitwise_and", 2, "($1 & $2)"},
    {"bitwise_or", 2, "($1 | $2)"},
    {"bitwise_xor", 2, "xor($1, $2)"},
    {"bitwise_not", 1, "(~($1))"},
    {"bit_count", 2,
     "CASE WHEN $2 = 64 THEN CAST(bit_count(CAST($1 AS BIGINT)) AS BIGINT) ELSE "
     "CAST(bit_count(CAST($1 AS HUGEINT) & ((CAST(1 AS HUGEINT) << CAST($2 AS INTEGER)) - 1)) AS "
     "BIGINT) END"},
    {"bitwise_right_shift_arithmetic", 2,
     "CASE WHEN $2 >= 64 THEN CASE WHEN $1 < 0 THEN -1 ELSE 0 END ELSE $1 >> CAST($2 AS INTEGER) "
     "END"},
    {"bitwise_left_shift", 2, "($1 << $2)"},
    {"bitwise_right_shift", 2, "($1 >> $2)"},
    // Arrays.
    {"array_distinct", 1, "list_filter($1, lambda e, i: list_position($1, e) = i)"},
    {"array_intersect", 2,
     "list_filter($1, lambda e, i: list_position($1, e) = i AND list_position($2, e) IS NOT NULL)"},
    {"array_union", 2, "list_filter($1 || $2, lambda e, i: list_position($1 || $2, e) = i)"},
    {"array_except", 2,
     "list_filter($1, lambda e, i: list_position($1, e) = i AND list_position($2, e) IS NULL)"},
    {"array_join", 2,
     "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN coalesce(array_to_string($1, $2), '') END"},
    {"array_join", 3,
     "array_to_string(list_transform($1, lambda e: coalesce(CAST(e AS VARCHAR), $3)), $2)"},
    {"array_max", 1,
     "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN list_max($1) END"},
    {"array_min", 1,
     "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN list_min($1) END"},
    {"array_position", 2,
     "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN CAST(coalesce(list_position($1, $2), 0) AS "
     "BIGINT) END"},
    {"array_remove", 2,
     "CASE WHEN $2 IS NOT NULL THEN list_filter($1, lambda e: e IS NULL OR e <> $2) END"},
    {"array_sort", 1, "list_sort($1, 'ASC', 'NULLS LAST')"},
    {"arrays_overlap", 2,
     "CASE WHEN list_has_any($1, $2) THEN true WHEN len(list_filter($1, lambda e: e IS NULL)) > 0 "
     "AND len($2) > 0 OR len(list_filter($2, lambda e: e IS NULL)) > 0 AND len($1) > 0 THEN NULL "
     "WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN false END"},
    {"cardinality_array", 1, "CAST(len($1) AS BIGINT)"},
    {"cardinality_map", 1, "CAST(cardinality($1) AS BIGINT)"},
    {"contains", 2,
     "CASE WHEN list_contains($1, $2) THEN true WHEN $1 IS NULL OR $2 IS NULL OR "
     "len(list_filter($1, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END"},
    {"element_at_array", 2,
     "CASE WHEN $2 = 0 THEN error('SQL array indices start at 1') ELSE $1[$2] END"},
    {"element_at_map", 2, "$1[$2]"},
    {"flatten", 1, "flatten($1)"},
    {"ngrams", 2,
     "list_transform(range(1, greatest(len($1) - $2 + 2, 2)), lambda i: $1[i:i + $2 - 1])"},
    {"repeat", 2,
     "CASE WHEN $2 > 10000 THEN error('count argument of repeat function must be less than or "
     "equal to 10000') WHEN $2 < 0 THEN error('count argument of repeat function must be greater "
     "than or equal to 0') ELSE list_transform(range($2), lambda i: $1) END"},
    {"reverse_array", 1, "list_reverse($1)"},
    {"sequence", 2,
     "CASE WHEN $1 <= $2 THEN generate_series($1, $2) ELSE generate_series($1, $2, -1) END"},
    {"sequence", 3, "generate_series($1, $2, $3)"},
    {"shuffle", 1,
     "list_transform(list_sort(list_transform($1, lambda e: {'r': random(), 'e': e})), lambda p: "
     "p.e)"},
    {"slice", 3,
     "CASE WHEN $2 = 0 THEN error('SQL array indices start at 1') WHEN $3 < 0 THEN error('length "
     "must be greater than or equal to 0') WHEN $2 < 0 THEN CASE WHEN -($2) > len($1) THEN $1[1:0] "
     "ELSE $1[len($1) + $2 + 1 : len($1) + $2 + $3] END ELSE $1[$2 : $2 + $3 - 1] END"},
    {"trim_array", 2,
     "CASE WHEN $2 < 0 OR $2 > len($1) THEN error('size must not exceed array cardinality') ELSE "
     "$1[1 : len($1) - $2] END"},
    {"combinations", 2, ""},
    {"all_match", 2, "CASE WHEN len(list_filter($1, lambda x: NOT ($2)(x))) > 0 THEN false END"},
    {"filter", 2, "list_filter($1, $2)"},
    {"transform", 2, "list_transform($1, $2)"},
    {"zip", 2, "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN CAST(list_zip($1, $2) AS $R) END"},
    {"zip", 3,
     "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL AND $3 IS NOT NULL THEN CAST(list_zip($1, $2, "
     "$3) AS $R) END"},
    // Maps.
    {"map", 0, "CAST(MAP {} AS MAP(VARCHAR, VARCHAR))"},
    {"map", 2, "map($1, $2)"},
    {"map_entries", 1, "CAST(list_transform(map_entries($1), lambda e: (e.key, e.value)) AS $R)"},
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
    {"json_extract_scalar", 2, "CASE WHEN json_valid($1) THEN json_value($1, $2) ->> '$' END"},
    {"json_extract", 2, "CASE WHEN json_valid($1) THEN json_extract($1, $2) END"},
    {"json_parse", 1,
     "CASE WHEN json_valid($1) THEN CAST(json_normalize($1) AS JSON) WHEN $1 IS NOT NULL THEN "
     "error('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''' || $1 || '''') END"},
    {"json_format", 1, "CAST(json($1) AS VARCHAR)"},
    {"json_array_length", 1,
     "CASE WHEN CASE WHEN json_valid($1) THEN json_type($1) END = 'ARRAY' THEN "
     "CAST(json_array_length($1) AS BIGINT) END"},
    {"json_size", 2,
     "CASE WHEN json_valid($1) THEN CASE CASE WHEN json_valid($1) THEN json_type($1, $2) END WHEN "
     "'ARRAY' THEN CAST(json_array_length($1, $2) AS BIGINT) WHEN 'OBJECT' THEN "
     "CAST(len(json_keys($1, $2)) AS BIGINT) ELSE CAST(CASE WHEN json_exists($1, $2) THEN 0 END AS "
     "BIGINT) END END"},
    {"is_json_scalar", 1, "(json_type($1) NOT IN ('OBJECT', 'ARRAY'))"},
    // Others.
    {"cosine_similarity", 2,
     "(list_sum(list_transform(map_keys($1), lambda k: coalesce($1[k] * $2[k], 0))) / "
     "(sqrt(list_sum(list_transform(map_values($1), lambda v: v * v))) * "
     "sqrt(list_sum(list_transform(map_values($2), lambda v: v * v)))))"},
    {"wilson_interval_upper", 3,
     "(($1 / $2 + $3 * $3 / (2 * $2) + $3 * sqrt(($1 / $2 * (1 - $1 / $2) + $3 * $3 / (4 * $2)) / "
     "$2)) / (1 + $3 * $3 / $2))"},
    {"wilson_interval_lower", 3,
     "(($1 / $2 + $3 * $3 / (2 * $2) - $3 * sqrt(($1 / $2 * (1 - $1 / $2) + $3 * $3 / (4 * $2)) / "
     "$2)) / (1 + $3 * $3 / $2))"},
    {"from_unixtime", 2, "to_timestamp($1)"},
    {"at_timezone", 2, "$1"},
    {"with_timezone", 2, "timezone($2, $1)"},
    {"current_timezone", 0, "'UTC'"},
    {"timezone_minute", 1, "CAST(0 * epoch($1) AS BIGINT)"},
    {"timezone_hour", 1, "CAST(0 * epoch($1) AS BIGINT)"},
    {"json_array_get", 2,
     "CASE WHEN CASE WHEN json_valid($1) THEN json_type($1) END = 'ARRAY' THEN json_extract($1, "
     "'$[' || $2 || ']') END"},
    {"approx_most_frequent", 3,
     "map_from_entries(list_slice(list_sort(list_transform(map_entries(histogram($2)), lambda e: "
     "{'c': -CAST(e.value AS BIGINT), 'k': e.key})), 1, $1).list_transform(lambda z: (z.k, "
     "-z.c)))"},
    {"multimap_from_entries", 1,
     "map_from_entries(list_transform(list_filter(list_transform($1, lambda e: e[1]), lambda k, i: "
     "i = list_position(list_transform($1, lambda e: e[1]), k)), lambda k: (k, "
     "list_transform(list_filter($1, lambda e: e[1] = k), lambda e: e[2]))))"},
    {"contains_sequence", 2,
     "(len($2) = 0 OR len(list_filter(range(1, len($1) - len($2) + 2), lambda i: list_slice($1, i, "
     "i + len($2) - 1) = $2)) > 0)"},
    {"width_bucket", 4,
     "CASE WHEN $2 < $3 THEN CASE WHEN $1 < $2 THEN 0 WHEN $1 >= $3 THEN $4 + 1 ELSE CAST(floor($4 "
     "* ($1 - $2) / CAST($3 - $2 AS DOUBLE)) AS BIGINT) + 1 END ELSE CASE WHEN $1 > $2 THEN 0 WHEN "
     "$1 <= $3 THEN $4 + 1 ELSE CAST(floor($4 * ($2 - $1) / CAST($2 - $3 AS DOUBLE)) AS BIGINT) + "
     "1 END END"},
    {"from_base", 2,
     "list_reduce(list_transform(string_split(lower(regexp_replace($1, '^[+-]', '')), ''), lambda "
     "c: CAST(CASE WHEN strpos(substr('0123456789abcdefghijklmnopqrstuvwxyz', 1, $2), c) = 0 THEN "
     "error('INVALID_FUNCTION_ARGUMENT: Not a valid base-' || $2 || ' number: ' || $1) ELSE "
     "strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 END AS BIGINT)), lambda a, b: a * $2 + "
     "b, CAST(0 AS BIGINT)) * CASE WHEN starts_with($1, '-') THEN -1 ELSE 1 END"},
    {"regexp_position", 3,
     "CASE WHEN regexp_matches(substr($1, $3), $2) THEN length(string_split_regex(substr($1, $3), "
     "$2)[1]) + $3 ELSE -1 END"},
    {"regexp_position", 2,
     "CASE WHEN regexp_matches($1, $2) THEN length(string_split_regex($1, $2)[1]) + 1 ELSE -1 END"},
    {"url_extract_parameter", 2,
     "list_transform(list_filter(string_split(regexp_extract($1, '\\?([^#]*)', 1), '&'), lambda p: "
     "p = $2 OR starts_with(p, $2 || '=')), lambda p: url_decode(replace(substr(p, length($2) + "
     "2), '+', ' ')))[1]"},
    {"url_extract_port", 1,
     "TRY_CAST(regexp_extract($1, '^[A-Za-z][A-Za-z0-9+.\\-]*://[^/?#]*:([0-9]+)', 1) AS BIGINT)"},
    {"from_utf8", 2, "decode($1, 'replace')"},
    {"luhn_check", 1,
     "CASE WHEN NOT regexp_full_match($1, '[0-9]*') THEN error('INVALID_FUNCTION_ARGUMENT: Input "
     "string must contain only digits') WHEN $1 = '' THEN false ELSE "
     "list_sum(list_transform(string_split(reverse($1), ''), lambda c, i: CASE WHEN i % 2 = 1 THEN "
     "CAST(c AS INTEGER) WHEN CAST(c AS INTEGER) * 2 > 9 THEN CAST(c AS INTEGER) * 2 - 9 ELSE "
     "CAST(c AS INTEGER) * 2 END)) % 10 = 0 END"},
    {"split_to_multimap", 3,
     "CASE WHEN $1 = '' THEN CAST(MAP {} AS MAP(VARCHAR, VARCHAR[])) ELSE "
     "map_from_entries(list_transform(list_filter(list_transform(string_split($1, $2), lambda e: "
     "string_split(e, $3)[1]), lambda k, i: list_position(list_transform(string_split($1, $2), "
     "lambda e: string_split(e, $3)[1]), k) = i), lambda k: (k, "
     "list_transform(list_filter(string_split($1, $2), lambda e: string_split(e, $3)[1] = k), "
     "lambda e: string_split(e, $3)[2])))) END"},
    {"split_to_map", 3,
     "CASE WHEN $1 = '' THEN CAST(MAP {} AS MAP(VARCHAR, VARCHAR)) ELSE "
     "map_from_entries(list_transform(list_filter(string_split($1, $2), lambda e, i: NOT (e = '' "
     "AND i = len(string_split($1, $2)))), lambda e: (CASE WHEN len(string_split(e, $3)) <> 2 THEN "
     "error('INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each "
     "entry. Bad input: ''' || e || '''') ELSE string_split(e, $3)[1] END, string_split(e, "
     "$3)[2]))) END"},
    {"split", 3,
     "CASE WHEN $3 <= 0 THEN error('INVALID_FUNCTION_ARGUMENT: Limit must be positive') WHEN "
     "len(string_split($1, $2)) <= $3 THEN string_split($1, $2) ELSE list_append(string_split($1, "
     "$2)[1:$3 - 1], array_to_string(string_split($1, $2)[$3:], $2)) END"},
    {"chr", 1,
     "CASE WHEN $1 < 0 OR $1 > 1114111 THEN error('INVALID_FUNCTION_ARGUMENT: Not a valid Unicode "
     "code point: ' || $1) ELSE chr(CAST($1 AS INTEGER)) END"},
    {"fail", 1, "error($1)"},
    {"version", 0, "'403'"},
};

std::string find(std::string_view name, size_t count) {
  for (const Recipe& recipe : kRecipes)
    if (recipe.name == name &&
        (recipe.arguments == -1 || recipe.arguments == static_cast<int>(count)))
      return std::string(recipe.text);
  for (const std::string_view same : kSame)
    if (same == name) return fmt::format("{}($*)", name);
  return "";
}

}  // namespace

std::string function_recipe(std::string_view name, const std::vector<Type>& types,
                            const Type& result) {
  const Type first = types.empty() ? Type() : types[0];
  if (name == "sum" && first.is_integer()) return "CAST(sum($1) AS BIGINT)";
  if (name == "sum" && first.is(Kind::real)) return "CAST(sum($1) AS FLOAT)";
  if (name == "sum" && first.is(Kind::interval_day))
    return "to_microseconds(CAST(sum(epoch_us($1)) AS BIGINT))";
  if (name == "sum") return "sum($1)";
  if (name == "avg" && first.is(Kind::real)) return "CAST(avg($1) AS FLOAT)";
  if (name == "avg" && first.is(Kind::decimal))
    return fmt::format("CAST(decimal_average(CAST($1 AS DECIMAL({},{}))) AS $R)",
                       std::min(38, first.precision + 12),
                       std::min(first.scale + 12, 38 - (first.precision - first.scale)));
  if (name == "avg") return "avg($1)";
  if ((name == "max" || name == "min") && types.size() == 1 && first.is_floating())
    return fmt::format("coalesce({0}($1) FILTER (WHERE NOT isnan($1)), {0}($1))", name);
  if (name == "cardinality")
    return find(first.is(Kind::map) ? "cardinality_map" : "cardinality_array", 1);
  if (name == "element_at")
    return find(first.is(Kind::map) ? "element_at_map" : "element_at_array", 2);
  if (name == "reverse") return find(first.is(Kind::array) ? "reverse_array" : "reverse_text", 1);
  if (name == "sign") return find("sign_any", 1);
  if (name == "concat" && first.is(Kind::array)) return "($*|| )";
  if (name == "length" && first.is(Kind::varbinary)) return "CAST(octet_length($1) AS BIGINT)";
  if ((name == "ceil" || name == "ceiling" || name == "floor" || name == "round" ||
       name == "truncate") &&
      first.is(Kind::decimal))
    return fmt::format("CAST({}($*) AS $R)", name == "truncate" ? "trunc" : name);
  if ((name == "ceil" || name == "ceiling" || name == "floor" || name == "round") &&
      first.is_integer() && types.size() == 1)
    return "$1";
  if (name == "to_iso8601" && first.is(Kind::date)) return find("to_iso8601_date", 1);
  if (name == "last_day_of_month") return "last_day($1)";
  if (name == "date_trunc" && result.is(Kind::date)) return "CAST(date_trunc($1, $2) AS DATE)";
  if (name == "date_add" && types.size() == 3) {
    static constexpr std::string_view kText =
        "CASE lower($1) WHEN 'millisecond' THEN $3 + to_milliseconds($2) WHEN 'second' THEN $3 + "
        "to_seconds($2) WHEN 'minute' THEN $3 + to_minutes($2) WHEN 'hour' THEN $3 + to_hours($2) "
        "WHEN 'day' THEN $3 + to_days(CAST($2 AS INTEGER)) WHEN 'week' THEN $3 + to_weeks(CAST($2 "
        "AS INTEGER)) WHEN 'month' THEN $3 + to_months(CAST($2 AS INTEGER)) "
        "WHEN 'quarter' THEN $3 + to_months(CAST(3 * $2 AS INTEGER)) WHEN 'year' THEN $3 + "
        "to_years(CAST($2 AS INTEGER)) END";
    return fmt::format("CAST({} AS $R)", kText);
  }
  if (name == "approx_percentile" && types.size() == 2 && types[1].is(Kind::array))
    return "quantile_disc($1, list_transform($2, lambda p: 1 - p) ORDER BY $1 DESC)";
  if (name == "sequence" && first.is_integer()) {
    constexpr const char* kTooMany =
        "error('result of sequence function must not have more than 10000 entries')";
    if (types.size() == 2)
      return fmt::format(
          "CASE WHEN abs(CAST($2 AS HUGEINT) - $1) >= 10000 THEN {} WHEN $1 <= $2 THEN "
          "generate_series($1, $2) ELSE generate_series($1, $2, -1) END",
          kTooMany);
    return fmt::format(
        "CASE WHEN $3 = 0 THEN error('step must not be zero') WHEN abs(CAST($2 AS HUGEINT) - $1) "
        "// "
        "greatest(abs(CAST($3 AS HUGEINT)), 1) >= 10000 THEN {} ELSE generate_series($1, $2, $3) "
        "END",
        kTooMany);
  }
  if (name == "sequence" && first.is(Kind::date)) {
    if (types.size() == 2)
      return "list_transform(generate_series(CAST($1 AS TIMESTAMP), CAST($2 AS TIMESTAMP), "
             "to_days(CASE WHEN $1 <= $2 THEN 1 ELSE -1 END)), lambda d: CAST(d AS DATE))";
    if (types[2].is(Kind::interval_day))
      return "list_transform(generate_series(CAST($1 AS TIMESTAMP), CAST($2 AS TIMESTAMP), $3), "
             "lambda d: CAST(d AS DATE))";
  }
  // Steps of months count from the start: 31st, 29th, 31st.
  if (name == "sequence" && types.size() == 3 && types[2].is(Kind::interval_year))
    return "list_filter(list_transform(range(0, CAST(abs(date_diff('month', $1, $2)) // "
           "greatest(1, abs(CAST(date_part('year', $3) * 12 + date_part('month', $3) AS BIGINT))) "
           "AS BIGINT) + 1), "
           "lambda i: CAST($1 + $3 * CAST(i AS INTEGER) AS " +
           duckdb_type(first) + ")), lambda d: CASE WHEN $1 <= $2 THEN d <= $2 ELSE d >= $2 END)";
  if (name == "to_iso8601" && first.is(Kind::timestamp))
    return fmt::format("left(strftime($1, '%Y-%m-%dT%H:%M:%S.%f'), {})",
                       first.precision == 0 ? 19 : 20 + std::min(6, first.precision));
  if (name == "to_iso8601" && first.is(Kind::timestamp_zoned))
    return fmt::format("left(strftime(timezone('UTC', $1), '%Y-%m-%dT%H:%M:%S.%f'), {}) || 'Z'",
                       first.precision == 0 ? 19 : 20 + std::min(6, first.precision));
  if (name == "json_array_contains" && types.size() == 2) {
    const char* test = types[1].is(Kind::bigint) || types[1].is_integer()
                           ? "json_type(e) IN ('BIGINT', 'UBIGINT') AND TRY_CAST(e AS BIGINT) = $2"
                       : types[1].is(Kind::double_)
                           ? "json_type(e) = 'DOUBLE' AND TRY_CAST(e AS DOUBLE) = $2"
                       : types[1].is(Kind::boolean)
                           ? "json_type(e) = 'BOOLEAN' AND CAST(e AS VARCHAR) = CAST($2 AS VARCHAR)"
                           : "json_type(e) = 'VARCHAR' AND (e ->> '$') = $2";
    return fmt::format(
        "CASE WHEN $2 IS NOT NULL AND CASE WHEN json_valid($1) THEN json_type($1) END = 'ARRAY' "
        "THEN len(list_filter(CAST(json_extract($1, '$[*]') AS JSON[]), lambda e: {})) > 0 END",
        test);
  }
  if ((name == "array_max" || name == "array_min") && first.is(Kind::array) &&
      first.parts[0].is_floating())
    return fmt::format(
        "CASE WHEN len(list_filter($1, lambda e: e IS NULL)) = 0 THEN "
        "coalesce(list_{0}(list_filter($1, lambda e: NOT isnan(e))), list_{0}($1)) END",
        name == "array_max" ? "max" : "min");
  if (name == "round" && first.is_floating() && types.size() == 1) return "(round($1) + 0)";
  if (name == "combinations" || name == "all_match") return "";
  return find(name, types.size());
}

}  // namespace laketap::sql
