// Settings of buckets that tools read though they were never set.
#include "api/s3/doors.h"

namespace laketap::api::s3 {

void add_settings(wire::Operations&, const std::shared_ptr<Doors>&) {}

}  // namespace laketap::api::s3
