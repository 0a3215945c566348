// S3's codes and texts for what goes wrong. Inner header.
#pragma once

#include "base/result.h"
#include "wire/wire.h"

namespace laketap::api::s3 {

// What was asked for, as the texts name it.
struct Subject {
  std::string bucket, key, version_id, upload_id;
};

wire::Fault to_fault(const Error& error, const Subject& subject);

wire::Fault access_denied();
// 501: a header means something that is not built.
wire::Fault not_implemented(std::string_view header);
wire::Fault invalid_argument(std::string message, std::string_view name, std::string_view value);
wire::Fault invalid_request(std::string message);
wire::Fault bad_digest(std::string_view algorithm);
wire::Fault precondition_failed(std::string_view condition);
wire::Fault no_such_key(const std::string& key);

}  // namespace laketap::api::s3
