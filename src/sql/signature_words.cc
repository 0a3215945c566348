// The signatures of functions as Trino 403 lists them in messages: in its order, with its type
// variables. What is not here is made from the list of signatures. Source: the recorded answers in
// tests/sql/trino.
#include <algorithm>

#include "sql/functions.h"

namespace laketap::sql {
namespace {

struct Words {
  std::string_view name, signatures;
};

constexpr Words kWords[] = {
    {"abs",
     "abs(bigint), abs(double), abs(tinyint), abs(smallint), abs(integer), abs(real), "
     "abs(decimal(p,s))"},
    {"acos", "acos(double)"},
    {"approx_percentile",
     "approx_percentile(bigint, double), approx_percentile(bigint, double, double), "
     "approx_percentile(bigint, double, double, double), approx_percentile(bigint, array(double)), "
     "approx_percentile(bigint, double, array(double)), approx_percentile(double, double), "
     "approx_percentile(double, double, double), approx_percentile(double, double, double, "
     "double), approx_percentile(double, array(double)), approx_percentile(double, double, "
     "array(double)), approx_percentile(real, double), approx_percentile(real, double, double), "
     "approx_percentile(real, double, double, double), approx_percentile(real, array(double)), "
     "approx_percentile(real, double, array(double))"},
    {"array_join",
     "array_join(array(T), varchar) T:castableTo(varchar), array_join(array(T), varchar, varchar) "
     "T"},
    {"array_sort",
     "array_sort(array(e)) E:orderable, array_sort(array(t), function(t,t,integer)) T"},
    {"array_union", "array_union(array(e), array(e)) E:comparable"},
    {"atan", "atan(double)"},
    {"avg",
     "avg(bigint), avg(double), avg(real), avg(interval day to second), avg(interval year to "
     "month), avg(decimal(p,s))"},
    {"bitwise_and", "bitwise_and(bigint, bigint)"},
    {"cardinality",
     "cardinality(hyperloglog), cardinality(array(e)) E, cardinality(map(k,v)) K, V, "
     "cardinality(setdigest)"},
    {"cbrt", "cbrt(double)"},
    {"ceil",
     "ceil(double), ceil(bigint), ceil(tinyint), ceil(smallint), ceil(integer), ceil(real), "
     "ceil(decimal(p,s))"},
    {"ceiling",
     "ceiling(double), ceiling(bigint), ceiling(tinyint), ceiling(smallint), ceiling(integer), "
     "ceiling(real), ceiling(decimal(p,s))"},
    {"codepoint", "codepoint(varchar(1))"},
    {"concat",
     "concat(char(x), char(y)), concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, "
     "concat(varchar), concat(varbinary)"},
    {"contains", "contains(varchar, ipaddress), contains(array(t), t) T:comparable"},
    {"cosh", "cosh(double)"},
    {"cosine_similarity", "cosine_similarity(map(varchar,double), map(varchar,double))"},
    {"count", "count(), count(t) T"},
    {"date", "date(varchar(x)), date(timestamp(p)), date(timestamp(p) with time zone)"},
    {"date_diff",
     "date_diff(varchar(x), date, date), date_diff(varchar(x), timestamp(p), timestamp(p)), "
     "date_diff(varchar(x), timestamp(p) with time zone, timestamp(p) with time zone), "
     "date_diff(varchar(x), time(p), time(p)), date_diff(varchar(x), time(p) with time zone, "
     "time(p) with time zone)"},
    {"date_format",
     "date_format(timestamp(p), varchar(x)), date_format(timestamp(p) with time zone, varchar(x))"},
    {"date_trunc",
     "date_trunc(varchar(x), date), date_trunc(varchar(x), timestamp(p)), date_trunc(varchar(x), "
     "timestamp(p) with time zone), date_trunc(varchar(x), time(p)), date_trunc(varchar(x), "
     "time(p) with time zone)"},
    {"day",
     "day(date), day(interval day to second), day(timestamp(p)), day(timestamp(p) with time zone)"},
    {"day_of_month",
     "day_of_month(date), day_of_month(interval day to second), day_of_month(timestamp(p)), "
     "day_of_month(timestamp(p) with time zone)"},
    {"day_of_week",
     "day_of_week(date), day_of_week(timestamp(p)), day_of_week(timestamp(p) with time zone)"},
    {"day_of_year",
     "day_of_year(date), day_of_year(timestamp(p)), day_of_year(timestamp(p) with time zone)"},
    {"degrees", "degrees(double)"},
    {"dow", "dow(date), dow(timestamp(p)), dow(timestamp(p) with time zone)"},
    {"doy", "doy(date), doy(timestamp(p)), doy(timestamp(p) with time zone)"},
    {"exp", "exp(double)"},
    {"filter", "filter(array(t), function(t,boolean)) T"},
    {"floor",
     "floor(bigint), floor(double), floor(tinyint), floor(smallint), floor(integer), floor(real), "
     "floor(decimal(p,s))"},
    {"format_datetime",
     "format_datetime(timestamp(p), varchar(x)), format_datetime(timestamp(p) with time zone, "
     "varchar(x))"},
    {"from_unixtime",
     "from_unixtime(double, bigint, bigint), from_unixtime(double), from_unixtime(double, "
     "varchar(x))"},
    {"greatest", "greatest(E) E:orderable"},
    {"hour",
     "hour(interval day to second), hour(timestamp(p)), hour(timestamp(p) with time zone), "
     "hour(time(p)), hour(time(p) with time zone)"},
    {"is_infinite", "is_infinite(double)"},
    {"is_nan", "is_nan(double), is_nan(real)"},
    {"json_extract_scalar",
     "json_extract_scalar(varchar(x), jsonpath), json_extract_scalar(json, jsonpath)"},
    {"json_format", "json_format(json)"},
    {"last_day_of_month",
     "last_day_of_month(date), last_day_of_month(timestamp(p)), last_day_of_month(timestamp(p) "
     "with time zone)"},
    {"length", "length(varchar(x)), length(char(x)), length(varbinary)"},
    {"ln", "ln(double)"},
    {"log10", "log10(double)"},
    {"log2", "log2(double)"},
    {"lower", "lower(varchar(x)), lower(char(x))"},
    {"ltrim",
     "ltrim(varchar(x), codepoints), ltrim(varchar(x)), ltrim(char(x), codepoints), "
     "ltrim(char(x))"},
    {"max", "max(t) T:orderable, max(e, bigint) E:orderable"},
    {"max_by", "max_by(v, k) K:orderable, V, max_by(v, k, bigint) K:orderable, V"},
    {"min", "min(t) T:orderable, min(e, bigint) E:orderable"},
    {"minute",
     "minute(interval day to second), minute(timestamp(p)), minute(timestamp(p) with time zone), "
     "minute(time(p)), minute(time(p) with time zone)"},
    {"month",
     "month(date), month(interval year to month), month(timestamp(p)), month(timestamp(p) with "
     "time zone)"},
    {"quarter", "quarter(date), quarter(timestamp(p)), quarter(timestamp(p) with time zone)"},
    {"reduce", "reduce(array(T), S, function(S,T,S), function(S,R)) T, S, R"},
    {"regexp_replace",
     "regexp_replace(varchar(x), joniregexp, varchar(y)), regexp_replace(varchar(x), joniregexp), "
     "regexp_replace(varchar, joniregexp, function(array(varchar),varchar(x)))"},
    {"round",
     "round(bigint, integer), round(double, integer), round(double), round(bigint), round(real, "
     "integer), round(real), round(tinyint), round(tinyint, integer), round(smallint), "
     "round(smallint, integer), round(integer, integer), round(integer), round(decimal(p,s)), "
     "round(decimal(p,s), integer)"},
    {"sequence",
     "sequence(bigint, bigint, bigint), sequence(bigint, bigint), sequence(date, date), "
     "sequence(date, date, interval day to second), sequence(date, date, interval year to month), "
     "sequence(timestamp(p), timestamp(p), interval year to month), sequence(timestamp(p), "
     "timestamp(p), interval day to second)"},
    {"sign",
     "sign(double), sign(bigint), sign(integer), sign(smallint), sign(tinyint), sign(real), "
     "sign(decimal(p,s))"},
    {"sin", "sin(double)"},
    {"sqrt", "sqrt(double)"},
    {"substr",
     "substr(varchar(x), bigint), substr(varchar(x), bigint, bigint), substr(char(x), bigint), "
     "substr(char(x), bigint, bigint), substr(varbinary, bigint), substr(varbinary, bigint, "
     "bigint)"},
    {"sum",
     "sum(double), sum(real), sum(bigint), sum(interval day to second), sum(interval year to "
     "month), sum(decimal(p,s))"},
    {"tan", "tan(double)"},
    {"tanh", "tanh(double)"},
    {"timezone_minute",
     "timezone_minute(timestamp(p) with time zone), timezone_minute(time(p) with time zone)"},
    {"to_base64", "to_base64(varbinary)"},
    {"to_milliseconds", "to_milliseconds(interval day to second)"},
    {"to_unixtime", "to_unixtime(timestamp(p) with time zone)"},
    {"transform", "transform(array(T), function(T,U)) T, U"},
    {"trim",
     "trim(varchar(x)), trim(varchar(x), codepoints), trim(char(x)), trim(char(x), codepoints)"},
    {"truncate",
     "truncate(real), truncate(double), truncate(decimal(p,s)), truncate(decimal(p,s), integer)"},
    {"typeof", "typeof(t) T"},
    {"week", "week(date), week(timestamp(p)), week(timestamp(p) with time zone)"},
    {"week_of_year",
     "week_of_year(date), week_of_year(timestamp(p)), week_of_year(timestamp(p) with time zone)"},
    {"year",
     "year(date), year(interval year to month), year(timestamp(p)), year(timestamp(p) with time "
     "zone)"},
    {"year_of_week",
     "year_of_week(date), year_of_week(timestamp(p)), year_of_week(timestamp(p) with time zone)"},
    {"yow", "yow(date), yow(timestamp(p)), yow(timestamp(p) with time zone)"},
    {"zip",
     "zip(array(T1), array(T2)) T1, T2, zip(array(T1), array(T2), array(T3)) T1, T2, T3, "
     "zip(array(T1), array(T2), array(T3), array(T4)) T1, T2, T3, T4, zip(array(T1), array(T2), "
     "array(T3), array(T4), array(T5)) T1, T2, T3, T4, T5"},
};

}  // namespace

std::string_view recorded_signatures(std::string_view name) {
  const auto found = std::ranges::find(kWords, name, &Words::name);
  return found == std::end(kWords) ? std::string_view() : found->signatures;
}

}  // namespace laketap::sql
