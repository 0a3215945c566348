// Requests' bodies: JSON, forms and XML, by the models' tables. What was read of JSON is written
// and read again: the same.
#include "base/assert.h"
#include "wire/athena.h"
#include "wire/check.h"
#include "wire/cloudformation.h"
#include "wire/firehose.h"
#include "wire/form.h"
#include "wire/glue.h"
#include "wire/s3.h"
#include "wire/wire.h"
#include "wire/xml.h"

using namespace laketap;

namespace {

template <class In>
void read_json_of(const char* service, std::string_view text) {
  const auto read = wire::decode_json<In>(*wire::find_service(service), text);
  if (!read) return;
  const std::string once = wire::encode_json(*read);
  const auto again = wire::decode_json<In>(*wire::find_service(service), once);
  ASSERT(again);
  ASSERT(wire::encode_json(*again) == once);
}

template <class In>
void read_form_of(const char* service, std::string_view text) {
  const auto form = wire::parse_form(text);
  if (!form) return;
  In input;
  (void)wire::read_form(*wire::find_service(service), shape_of(&input), *form, &input);
}

void read_xml_of_delete(std::string_view text) {
  wire::s3::Delete input;
  wire::Violations violations(*wire::find_service("s3"));
  (void)wire::read_xml(text, "Delete", shape_of(&input), &input, wire::Path{}, violations);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0: read_json_of<wire::firehose::PutRecordBatchInput>("firehose", text); break;
    case 1: read_json_of<wire::firehose::CreateDeliveryStreamInput>("firehose", text); break;
    case 2: read_json_of<wire::glue::CreateTableRequest>("glue", text); break;
    case 3: read_json_of<wire::athena::StartQueryExecutionInput>("athena", text); break;
    case 4: read_json_of<wire::glue::CreateCrawlerRequest>("glue", text); break;
    case 5: read_form_of<wire::cloudformation::CreateStackInput>("cloudformation", text); break;
    case 6: read_xml_of_delete(text); break;
    default: read_form_of<wire::cloudformation::DescribeStacksInput>("cloudformation", text);
  }
  return 0;
}
