// The functions of Trino 403, as its SHOW FUNCTIONS lists them: name | result | arguments | kind (s
// scalar, a aggregate, w window). Types with single letters are variables; functions of types that
// we do not serve are left out.
#include "sql/functions.h"

namespace laketap::sql {

std::string_view signature_lines() {
  static constexpr std::string_view kLines = R"(
concat_ws|varchar|varchar, varchar, varchar, varchar|s
concat_ws|varchar|varchar, varchar, varchar|s
map_concat|map(k,v)|map(k,v), map(k,v), map(k,v), map(k,v)|s
map_concat|map(k,v)|map(k,v), map(k,v), map(k,v)|s
normalize|varchar|varchar(x)|s
map|map(unknown,unknown)||s
abs|bigint|bigint|s
abs|decimal(p,s)|decimal(p,s)|s
abs|double|double|s
abs|integer|integer|s
abs|real|real|s
abs|smallint|smallint|s
abs|tinyint|tinyint|s
acos|double|double|s
all_match|boolean|array(t), function(t,boolean)|s
any_match|boolean|array(t), function(t,boolean)|s
approx_distinct|bigint|boolean|a
approx_distinct|bigint|boolean, double|a
approx_distinct|bigint|t|a
approx_distinct|bigint|t, double|a
approx_most_frequent|map(bigint,bigint)|bigint, bigint, bigint|a
approx_most_frequent|map(varchar,bigint)|bigint, varchar, bigint|a
approx_percentile|array(bigint)|bigint, array(double)|a
approx_percentile|array(bigint)|bigint, double, array(double)|a
approx_percentile|array(double)|double, array(double)|a
approx_percentile|array(double)|double, double, array(double)|a
approx_percentile|array(real)|real, array(double)|a
approx_percentile|array(real)|real, double, array(double)|a
approx_percentile|bigint|bigint, double|a
approx_percentile|bigint|bigint, double, double|a
approx_percentile|bigint|bigint, double, double, double|a
approx_percentile|double|double, double|a
approx_percentile|double|double, double, double|a
approx_percentile|double|double, double, double, double|a
approx_percentile|real|real, double|a
approx_percentile|real|real, double, double|a
approx_percentile|real|real, double, double, double|a
arbitrary|t|t|a
array_agg|array(t)|t|a
array_distinct|array(e)|array(e)|s
array_except|array(e)|array(e), array(e)|s
array_intersect|array(e)|array(e), array(e)|s
array_join|varchar|array(T), varchar|s
array_join|varchar|array(T), varchar, varchar|s
array_max|t|array(t)|s
array_min|t|array(t)|s
array_position|bigint|array(t), t|s
array_remove|array(e)|array(e), e|s
array_sort|array(e)|array(e)|s
array_sort|array(t)|array(t), function(t,t,integer)|s
array_union|array(e)|array(e), array(e)|s
arrays_overlap|boolean|array(e), array(e)|s
asin|double|double|s
at_timezone|timestamp(p) with time zone|timestamp(p) with time zone, varchar(x)|s
atan|double|double|s
atan2|double|double, double|s
avg|decimal(p,s)|decimal(p,s)|a
avg|double|bigint|a
avg|double|double|a
avg|interval day to second|interval day to second|a
avg|interval year to month|interval year to month|a
avg|real|real|a
bar|varchar|double, bigint|s
beta_cdf|double|double, double, double|s
bit_count|bigint|bigint, bigint|s
bitwise_and|bigint|bigint, bigint|s
bitwise_and_agg|bigint|bigint|a
bitwise_left_shift|bigint|bigint, integer|s
bitwise_left_shift|integer|integer, integer|s
bitwise_left_shift|smallint|smallint, integer|s
bitwise_left_shift|tinyint|tinyint, integer|s
bitwise_not|bigint|bigint|s
bitwise_or|bigint|bigint, bigint|s
bitwise_or_agg|bigint|bigint|a
bitwise_right_shift|bigint|bigint, integer|s
bitwise_right_shift|integer|integer, integer|s
bitwise_right_shift|smallint|smallint, integer|s
bitwise_right_shift|tinyint|tinyint, integer|s
bitwise_right_shift_arithmetic|bigint|bigint, integer|s
bitwise_right_shift_arithmetic|integer|integer, integer|s
bitwise_right_shift_arithmetic|smallint|smallint, integer|s
bitwise_right_shift_arithmetic|tinyint|tinyint, integer|s
bitwise_xor|bigint|bigint, bigint|s
bool_and|boolean|boolean|a
bool_or|boolean|boolean|a
cardinality|bigint|array(e)|s
cardinality|bigint|map(k,v)|s
cbrt|double|double|s
ceil|bigint|bigint|s
ceil|decimal(rp,0)|decimal(p,s)|s
ceil|double|double|s
ceil|integer|integer|s
ceil|real|real|s
ceil|smallint|smallint|s
ceil|tinyint|tinyint|s
ceiling|bigint|bigint|s
ceiling|decimal(rp,0)|decimal(p,s)|s
ceiling|double|double|s
ceiling|integer|integer|s
ceiling|real|real|s
ceiling|smallint|smallint|s
ceiling|tinyint|tinyint|s
checksum|varbinary|t|a
chr|varchar(1)|bigint|s
codepoint|integer|varchar(1)|s
combinations|array(array(t))|array(t), integer|s
concat|array(E)|E, array(E)|s
concat|array(E)|array(E)|s
concat|array(E)|array(E), E|s
concat|char(u)|char(x), char(y)|s
concat|varbinary|varbinary|s
concat|varchar|varchar|s
concat_ws|varchar|varchar, array(varchar)|s
concat_ws|varchar|varchar, varchar|s
contains|boolean|array(t), t|s
contains|boolean|varchar, ipaddress|s
contains_sequence|boolean|array(t), array(t)|s
corr|double|double, double|a
corr|real|real, real|a
cos|double|double|s
cosh|double|double|s
cosine_similarity|double|map(varchar,double), map(varchar,double)|s
count|bigint||a
count|bigint|t|a
count_if|bigint|boolean|a
covar_pop|double|double, double|a
covar_pop|real|real, real|a
covar_samp|double|double, double|a
covar_samp|real|real, real|a
crc32|bigint|varbinary|s
cume_dist|double||w
current_date|date||s
current_groups|array(varchar)||s
current_timezone|varchar||s
date|date|timestamp(p)|s
date|date|timestamp(p) with time zone|s
date|date|varchar(x)|s
date_add|date|varchar(x), bigint, date|s
date_add|time(p)|varchar(x), bigint, time(p)|s
date_add|time(p) with time zone|varchar(x), bigint, time(p) with time zone|s
date_add|timestamp(p)|varchar(x), bigint, timestamp(p)|s
date_add|timestamp(p) with time zone|varchar(x), bigint, timestamp(p) with time zone|s
date_diff|bigint|varchar(x), date, date|s
date_diff|bigint|varchar(x), time(p) with time zone, time(p) with time zone|s
date_diff|bigint|varchar(x), time(p), time(p)|s
date_diff|bigint|varchar(x), timestamp(p) with time zone, timestamp(p) with time zone|s
date_diff|bigint|varchar(x), timestamp(p), timestamp(p)|s
date_format|varchar|timestamp(p) with time zone, varchar(x)|s
date_format|varchar|timestamp(p), varchar(x)|s
date_parse|timestamp(3)|varchar(x), varchar(y)|s
date_trunc|date|varchar(x), date|s
date_trunc|time(p)|varchar(x), time(p)|s
date_trunc|time(p) with time zone|varchar(x), time(p) with time zone|s
date_trunc|timestamp(p)|varchar(x), timestamp(p)|s
date_trunc|timestamp(p) with time zone|varchar(x), timestamp(p) with time zone|s
day|bigint|date|s
day|bigint|interval day to second|s
day|bigint|timestamp(p)|s
day|bigint|timestamp(p) with time zone|s
day_of_month|bigint|date|s
day_of_month|bigint|interval day to second|s
day_of_month|bigint|timestamp(p)|s
day_of_month|bigint|timestamp(p) with time zone|s
day_of_week|bigint|date|s
day_of_week|bigint|timestamp(p)|s
day_of_week|bigint|timestamp(p) with time zone|s
day_of_year|bigint|date|s
day_of_year|bigint|timestamp(p)|s
day_of_year|bigint|timestamp(p) with time zone|s
degrees|double|double|s
dense_rank|bigint||w
dow|bigint|date|s
dow|bigint|timestamp(p)|s
dow|bigint|timestamp(p) with time zone|s
doy|bigint|date|s
doy|bigint|timestamp(p)|s
doy|bigint|timestamp(p) with time zone|s
e|double||s
element_at|V|map(K,V), K|s
element_at|e|array(e), bigint|s
every|boolean|boolean|a
exp|double|double|s
filter|array(t)|array(t), function(t,boolean)|s
first_value|t|t|w
flatten|array(E)|array(array(E))|s
floor|bigint|bigint|s
floor|decimal(rp,0)|decimal(p,s)|s
floor|double|double|s
floor|integer|integer|s
floor|real|real|s
floor|smallint|smallint|s
floor|tinyint|tinyint|s
format_datetime|varchar|timestamp(p) with time zone, varchar(x)|s
format_datetime|varchar|timestamp(p), varchar(x)|s
format_number|varchar|bigint|s
format_number|varchar|double|s
from_base|bigint|varchar(x), bigint|s
from_base32|varbinary|varbinary|s
from_base32|varbinary|varchar(x)|s
from_base64|varbinary|varbinary|s
from_base64|varbinary|varchar(x)|s
from_base64url|varbinary|varbinary|s
from_base64url|varbinary|varchar(x)|s
from_big_endian_32|integer|varbinary|s
from_big_endian_64|bigint|varbinary|s
from_hex|varbinary|varbinary|s
from_hex|varbinary|varchar(x)|s
from_ieee754_32|real|varbinary|s
from_ieee754_64|double|varbinary|s
from_iso8601_date|date|varchar(x)|s
from_iso8601_timestamp|timestamp(3) with time zone|varchar(x)|s
from_iso8601_timestamp_nanos|timestamp(9) with time zone|varchar(x)|s
from_unixtime|timestamp(3) with time zone|double|s
from_unixtime|timestamp(3) with time zone|double, bigint, bigint|s
from_unixtime|timestamp(3) with time zone|double, varchar(x)|s
from_unixtime_nanos|timestamp(9) with time zone|bigint|s
from_unixtime_nanos|timestamp(9) with time zone|decimal(p,s)|s
from_utf8|varchar|varbinary|s
from_utf8|varchar|varbinary, bigint|s
from_utf8|varchar|varbinary, varchar(x)|s
geometric_mean|double|bigint|a
geometric_mean|double|double|a
geometric_mean|real|real|a
greatest|E|E|s
hamming_distance|bigint|varchar(x), varchar(y)|s
histogram|map(t,bigint)|t|a
hmac_md5|varbinary|varbinary, varbinary|s
hmac_sha1|varbinary|varbinary, varbinary|s
hmac_sha256|varbinary|varbinary, varbinary|s
hmac_sha512|varbinary|varbinary, varbinary|s
hour|bigint|interval day to second|s
hour|bigint|time(p)|s
hour|bigint|time(p) with time zone|s
hour|bigint|timestamp(p)|s
hour|bigint|timestamp(p) with time zone|s
human_readable_seconds|varchar|double|s
infinity|double||s
inverse_beta_cdf|double|double, double, double|s
inverse_normal_cdf|double|double, double, double|s
is_finite|boolean|double|s
is_infinite|boolean|double|s
is_json_scalar|boolean|json|s
is_json_scalar|boolean|varchar(x)|s
is_nan|boolean|double|s
is_nan|boolean|real|s
json_array_contains|boolean|json, bigint|s
json_array_contains|boolean|json, boolean|s
json_array_contains|boolean|json, double|s
json_array_contains|boolean|json, varchar(x)|s
json_array_contains|boolean|varchar(x), bigint|s
json_array_contains|boolean|varchar(x), boolean|s
json_array_contains|boolean|varchar(x), double|s
json_array_contains|boolean|varchar(x), varchar(y)|s
json_array_get|json|json, bigint|s
json_array_get|json|varchar(x), bigint|s
json_array_length|bigint|json|s
json_array_length|bigint|varchar(x)|s
json_extract|json|json, varchar|s
json_extract|json|varchar(x), varchar|s
json_extract_scalar|varchar|json, varchar|s
json_extract_scalar|varchar(x)|varchar(x), varchar|s
json_format|varchar|json|s
json_parse|json|varchar(x)|s
json_size|bigint|json, varchar|s
json_size|bigint|varchar(x), varchar|s
kurtosis|double|bigint|a
kurtosis|double|double|a
lag|t|t|w
lag|t|t, bigint|w
lag|t|t, bigint, t|w
last_day_of_month|date|date|s
last_day_of_month|date|timestamp(p)|s
last_day_of_month|date|timestamp(p) with time zone|s
last_value|t|t|w
lead|t|t|w
lead|t|t, bigint|w
lead|t|t, bigint, t|w
least|E|E|s
length|bigint|char(x)|s
length|bigint|varbinary|s
length|bigint|varchar(x)|s
levenshtein_distance|bigint|varchar(x), varchar(y)|s
listagg|varchar|varchar, varchar, boolean, varchar, boolean|a
ln|double|double|s
log|double|double, double|s
log10|double|double|s
log2|double|double|s
lower|char(x)|char(x)|s
lower|varchar(x)|varchar(x)|s
lpad|varbinary|varbinary, bigint, varbinary|s
lpad|varchar|varchar(x), bigint, varchar(y)|s
ltrim|varchar(x)|char(x)|s
ltrim|varchar(x)|char(x), codepoints|s
ltrim|varchar(x)|varchar(x)|s
ltrim|varchar(x)|varchar(x), codepoints|s
luhn_check|boolean|varchar|s
map|map(K,V)|array(K), array(V)|s
map_agg|map(k,v)|k, v|a
map_concat|map(K,V)|map(K,V)|s
map_entries|array(row(k,v))|map(k,v)|s
map_filter|map(K,V)|map(K,V), function(K,V,boolean)|s
map_from_entries|map(k,v)|array(row(k,v))|s
map_keys|array(k)|map(k,v)|s
map_union|map(k,v)|map(k,v)|a
map_values|array(v)|map(k,v)|s
map_zip_with|map(K,V3)|map(K,V1), map(K,V2), function(K,V1,V2,V3)|s
max|array(e)|e, bigint|a
max|t|t|a
max_by|array(v)|v, k, bigint|a
max_by|v|v, k|a
md5|varbinary|varbinary|s
millisecond|bigint|interval day to second|s
millisecond|bigint|time(p)|s
millisecond|bigint|time(p) with time zone|s
millisecond|bigint|timestamp(p)|s
millisecond|bigint|timestamp(p) with time zone|s
min|array(e)|e, bigint|a
min|t|t|a
min_by|array(v)|v, k, bigint|a
min_by|v|v, k|a
minute|bigint|interval day to second|s
minute|bigint|time(p)|s
minute|bigint|time(p) with time zone|s
minute|bigint|timestamp(p)|s
minute|bigint|timestamp(p) with time zone|s
mod|bigint|bigint, bigint|s
mod|decimal(r_precision,r_scale)|decimal(a_precision,a_scale), decimal(b_precision,b_scale)|s
mod|double|double, double|s
mod|integer|integer, integer|s
mod|real|real, real|s
mod|smallint|smallint, smallint|s
mod|tinyint|tinyint, tinyint|s
month|bigint|date|s
month|bigint|interval year to month|s
month|bigint|timestamp(p)|s
month|bigint|timestamp(p) with time zone|s
multimap_agg|map(k,array(v))|k, v|a
multimap_from_entries|map(k,array(v))|array(row(k,v))|s
murmur3|varbinary|varbinary|s
nan|double||s
ngrams|array(array(t))|array(t), integer|s
none_match|boolean|array(t), function(t,boolean)|s
normal_cdf|double|double, double, double|s
normalize|varchar|varchar(x), varchar(y)|s
now|timestamp(3) with time zone||s
nth_value|t|t, bigint|w
ntile|bigint|bigint|w
numeric_histogram|map(double,double)|bigint, double|a
numeric_histogram|map(double,double)|bigint, double, double|a
numeric_histogram|map(real,real)|bigint, real|a
numeric_histogram|map(real,real)|bigint, real, double|a
parse_data_size|decimal(38,0)|varchar(x)|s
parse_datetime|timestamp(3) with time zone|varchar(x), varchar(y)|s
parse_duration|interval day to second|varchar(x)|s
parse_presto_data_size|decimal(38,0)|varchar(x)|s
percent_rank|double||w
pi|double||s
pow|double|double, double|s
power|double|double, double|s
quarter|bigint|date|s
quarter|bigint|timestamp(p)|s
quarter|bigint|timestamp(p) with time zone|s
radians|double|double|s
rand|bigint|bigint|s
rand|bigint|bigint, bigint|s
rand|double||s
rand|integer|integer|s
rand|integer|integer, integer|s
rand|smallint|smallint|s
rand|smallint|smallint, smallint|s
rand|tinyint|tinyint|s
rand|tinyint|tinyint, tinyint|s
random|bigint|bigint|s
random|bigint|bigint, bigint|s
random|double||s
random|integer|integer|s
random|integer|integer, integer|s
random|smallint|smallint|s
random|smallint|smallint, smallint|s
random|tinyint|tinyint|s
random|tinyint|tinyint, tinyint|s
rank|bigint||w
reduce|R|array(T), S, function(S,T,S), function(S,R)|s
reduce_agg|S|T, S, function(S,T,S), function(S,S,S)|a
regexp_count|bigint|varchar(x), varchar|s
regexp_extract|varchar(x)|varchar(x), varchar|s
regexp_extract|varchar(x)|varchar(x), varchar, bigint|s
regexp_extract_all|array(varchar(x))|varchar(x), varchar|s
regexp_extract_all|array(varchar(x))|varchar(x), varchar, bigint|s
regexp_like|boolean|varchar(x), varchar|s
regexp_position|integer|varchar(x), varchar|s
regexp_position|integer|varchar(x), varchar, integer|s
regexp_position|integer|varchar(x), varchar, integer, integer|s
regexp_replace|varchar|varchar, varchar, function(array(varchar),varchar(x))|s
regexp_replace|varchar(x)|varchar(x), varchar|s
regexp_replace|varchar(z)|varchar(x), varchar, varchar(y)|s
regexp_split|array(varchar(x))|varchar(x), varchar|s
regr_intercept|double|double, double|a
regr_intercept|real|real, real|a
regr_slope|double|double, double|a
regr_slope|real|real, real|a
render|varchar(16)|boolean|s
repeat|array(t)|t, integer|s
replace|varchar(u)|varchar(x), varchar(y), varchar(z)|s
replace|varchar(x)|varchar(x), varchar(y)|s
reverse|array(e)|array(e)|s
reverse|varbinary|varbinary|s
reverse|varchar(x)|varchar(x)|s
round|bigint|bigint|s
round|bigint|bigint, integer|s
round|decimal(rp,rs)|decimal(p,s)|s
round|decimal(rp,s)|decimal(p,s), integer|s
round|double|double|s
round|double|double, integer|s
round|integer|integer|s
round|integer|integer, integer|s
round|real|real|s
round|real|real, integer|s
round|smallint|smallint|s
round|smallint|smallint, integer|s
round|tinyint|tinyint|s
round|tinyint|tinyint, integer|s
row_number|bigint||w
rpad|varbinary|varbinary, bigint, varbinary|s
rpad|varchar|varchar(x), bigint, varchar(y)|s
rtrim|varchar(x)|char(x)|s
rtrim|varchar(x)|char(x), codepoints|s
rtrim|varchar(x)|varchar(x)|s
rtrim|varchar(x)|varchar(x), codepoints|s
second|bigint|interval day to second|s
second|bigint|time(p)|s
second|bigint|time(p) with time zone|s
second|bigint|timestamp(p)|s
second|bigint|timestamp(p) with time zone|s
sequence|array(bigint)|bigint, bigint|s
sequence|array(bigint)|bigint, bigint, bigint|s
sequence|array(date)|date, date|s
sequence|array(date)|date, date, interval day to second|s
sequence|array(date)|date, date, interval year to month|s
sequence|array(timestamp(p))|timestamp(p), timestamp(p), interval day to second|s
sequence|array(timestamp(p))|timestamp(p), timestamp(p), interval year to month|s
sha1|varbinary|varbinary|s
sha256|varbinary|varbinary|s
sha512|varbinary|varbinary|s
shuffle|array(e)|array(e)|s
sign|bigint|bigint|s
sign|decimal(1,0)|decimal(p,s)|s
sign|double|double|s
sign|integer|integer|s
sign|real|real|s
sign|smallint|smallint|s
sign|tinyint|tinyint|s
sin|double|double|s
skewness|double|bigint|a
skewness|double|double|a
slice|array(e)|array(e), bigint, bigint|s
soundex|varchar(4)|varchar|s
split|array(varchar(x))|varchar(x), varchar(y)|s
split|array(varchar(x))|varchar(x), varchar(y), bigint|s
split_part|varchar(x)|varchar(x), varchar(y), bigint|s
split_to_map|map(varchar,varchar)|varchar, varchar, varchar|s
split_to_multimap|map(varchar,array(varchar))|varchar, varchar, varchar|s
spooky_hash_v2_32|varbinary|varbinary|s
spooky_hash_v2_64|varbinary|varbinary|s
sqrt|double|double|s
starts_with|boolean|varchar(x), varchar(y)|s
stddev|double|bigint|a
stddev|double|double|a
stddev_pop|double|bigint|a
stddev_pop|double|double|a
stddev_samp|double|bigint|a
stddev_samp|double|double|a
strpos|bigint|varchar(x), varchar(y)|s
strpos|bigint|varchar(x), varchar(y), bigint|s
substr|varbinary|varbinary, bigint|s
substr|varbinary|varbinary, bigint, bigint|s
substr|varchar(x)|char(x), bigint|s
substr|varchar(x)|char(x), bigint, bigint|s
substr|varchar(x)|varchar(x), bigint|s
substr|varchar(x)|varchar(x), bigint, bigint|s
substring|varchar(x)|char(x), bigint|s
substring|varchar(x)|char(x), bigint, bigint|s
substring|varchar(x)|varchar(x), bigint|s
substring|varchar(x)|varchar(x), bigint, bigint|s
sum|bigint|bigint|a
sum|decimal(38,s)|decimal(p,s)|a
sum|double|double|a
sum|interval day to second|interval day to second|a
sum|interval year to month|interval year to month|a
sum|real|real|a
tan|double|double|s
tanh|double|double|s
timezone_hour|bigint|time(p) with time zone|s
timezone_hour|bigint|timestamp(p) with time zone|s
timezone_minute|bigint|time(p) with time zone|s
timezone_minute|bigint|timestamp(p) with time zone|s
to_base|varchar(64)|bigint, bigint|s
to_base32|varchar|varbinary|s
to_base64|varchar|varbinary|s
to_base64url|varchar|varbinary|s
to_big_endian_32|varbinary|integer|s
to_big_endian_64|varbinary|bigint|s
to_hex|varchar|varbinary|s
to_ieee754_32|varbinary|real|s
to_ieee754_64|varbinary|double|s
to_iso8601|varchar(16)|date|s
to_iso8601|varchar(n)|timestamp(p)|s
to_iso8601|varchar(n)|timestamp(p) with time zone|s
to_milliseconds|bigint|interval day to second|s
to_unixtime|double|timestamp(p) with time zone|s
to_utf8|varbinary|varchar(x)|s
transform|array(U)|array(T), function(T,U)|s
transform_keys|map(K2,V)|map(K1,V), function(K1,V,K2)|s
transform_values|map(K,V2)|map(K,V1), function(K,V1,V2)|s
translate|varchar|varchar(x), varchar(y), varchar(z)|s
trim|varchar(x)|char(x)|s
trim|varchar(x)|char(x), codepoints|s
trim|varchar(x)|varchar(x)|s
trim|varchar(x)|varchar(x), codepoints|s
trim_array|array(e)|array(e), bigint|s
truncate|decimal(p,s)|decimal(p,s), integer|s
truncate|decimal(rp,0)|decimal(p,s)|s
truncate|double|double|s
truncate|real|real|s
typeof|varchar|t|s
upper|char(x)|char(x)|s
upper|varchar(x)|varchar(x)|s
url_decode|varchar(x)|varchar(x)|s
url_encode|varchar(y)|varchar(x)|s
url_extract_fragment|varchar(x)|varchar(x)|s
url_extract_host|varchar(x)|varchar(x)|s
url_extract_parameter|varchar(x)|varchar(x), varchar(y)|s
url_extract_path|varchar(x)|varchar(x)|s
url_extract_port|bigint|varchar(x)|s
url_extract_protocol|varchar(x)|varchar(x)|s
url_extract_query|varchar(x)|varchar(x)|s
uuid|uuid||s
var_pop|double|bigint|a
var_pop|double|double|a
var_samp|double|bigint|a
var_samp|double|double|a
variance|double|bigint|a
variance|double|double|a
week|bigint|date|s
week|bigint|timestamp(p)|s
week|bigint|timestamp(p) with time zone|s
week_of_year|bigint|date|s
week_of_year|bigint|timestamp(p)|s
week_of_year|bigint|timestamp(p) with time zone|s
width_bucket|bigint|double, array(double)|s
width_bucket|bigint|double, double, double, bigint|s
wilson_interval_lower|double|bigint, bigint, double|s
wilson_interval_upper|double|bigint, bigint, double|s
with_timezone|timestamp(p) with time zone|timestamp(p), varchar(x)|s
word_stem|varchar(x)|varchar(x)|s
word_stem|varchar(x)|varchar(x), varchar(2)|s
xxhash64|varbinary|varbinary|s
year|bigint|date|s
year|bigint|interval year to month|s
year|bigint|timestamp(p)|s
year|bigint|timestamp(p) with time zone|s
year_of_week|bigint|date|s
year_of_week|bigint|timestamp(p)|s
year_of_week|bigint|timestamp(p) with time zone|s
yow|bigint|date|s
yow|bigint|timestamp(p)|s
yow|bigint|timestamp(p) with time zone|s
zip|array(row(T1,T2))|array(T1), array(T2)|s
zip|array(row(T1,T2,T3))|array(T1), array(T2), array(T3)|s
zip|array(row(T1,T2,T3,T4))|array(T1), array(T2), array(T3), array(T4)|s
zip|array(row(T1,T2,T3,T4,T5))|array(T1), array(T2), array(T3), array(T4), array(T5)|s
zip_with|array(R)|array(T), array(U), function(T,U,R)|s
)";
  return kLines;
}

}  // namespace laketap::sql
