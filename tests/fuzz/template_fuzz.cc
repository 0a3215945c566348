// Stacks' templates, and the data generator's.
#include "generator/draw.h"
#include "generator/template.h"
#include "stacks/template.h"

using namespace laketap;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)stacks::parse_template(text);
  if (const auto made = generator::Template::parse(text)) {
    generator::Draw draw(1);
    (void)made->render(draw, Timestamp());
  }
  return 0;
}
