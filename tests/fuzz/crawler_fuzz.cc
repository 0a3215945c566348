// What a crawler looks into, its schedule, and the expressions of GetPartitions.
#include "catalog/catalog.h"
#include "crawler/cron.h"
#include "crawler/csv.h"
#include "crawler/infer.h"

using namespace laketap;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool whole : {false, true}) {
    if (const auto schema = crawler::infer_json(text, whole)) (void)schema->columns();
    (void)crawler::infer_csv(text, whole);
  }
  (void)crawler::Cron::parse(text);
  (void)crawler::Cron::parse("cron(" + std::string(text) + ")");
  const auto filter = catalog::parse_partition_filter(text, {{.name = "a", .type = "int"},
                                                             {.name = "b", .type = "string"},
                                                             {.name = "c", .type = "date"}});
  if (filter) (void)(*filter)->holds({"1", "x", "2026-11-28"});
  (void)catalog::unescaped(text);
  return 0;
}
