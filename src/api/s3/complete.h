// CompleteMultipartUpload. Inner header.
#pragma once

#include "api/s3/headers.h"

namespace laketap::api::s3 {

// Waits for the disk as long as the object is large.
wire::Answer<shapes::CompleteMultipartUploadOutput> complete(
    Doors& doors, const wire::Call& call, const shapes::CompleteMultipartUploadRequest& input);

}  // namespace laketap::api::s3
