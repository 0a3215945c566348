#include "api/s3/faults.h"

#include <fmt/format.h>

#include <utility>

namespace laketap::api::s3 {
namespace {

wire::Fault not_found(std::string_view what, const Subject& subject) {
  if (what.starts_with("bucket"))
    return {"NoSuchBucket",
            404,
            "The specified bucket does not exist",
            {{"BucketName", subject.bucket}}};
  if (what.starts_with("upload"))
    return {"NoSuchUpload",
            404,
            "The specified upload does not exist. The upload ID may be invalid, or the upload may "
            "have been aborted or completed.",
            {{"UploadId", subject.upload_id}}};
  if (what.starts_with("version"))
    return {"NoSuchVersion",
            404,
            "The specified version does not exist.",
            {{"Key", subject.key}, {"VersionId", subject.version_id}}};
  return no_such_key(subject.key);
}

wire::Fault invalid(std::string_view what, const Subject& subject) {
  if (what.starts_with("bucket"))
    return {"InvalidBucketName",
            400,
            "The specified bucket is not valid.",
            {{"BucketName", subject.bucket}}};
  return {"InvalidArgument", 400, std::string(what), {}};
}

wire::Fault conflict(std::string_view what, const Subject& subject) {
  if (what.contains("not empty"))
    return {"BucketNotEmpty",
            409,
            what.contains("versions") ? "The bucket you tried to delete is not empty. You must "
                                        "delete all versions in the bucket."
                                      : "The bucket you tried to delete is not empty",
            {{"BucketName", subject.bucket}}};
  if (what.contains("ETag")) return precondition_failed("If-Match");
  return {"ConditionalRequestConflict",
          409,
          "A conflicting operation occurred during processing of this request. Please try again.",
          {{"Key", subject.key}}};
}

}  // namespace

wire::Fault to_fault(const Error& error, const Subject& subject) {
  switch (error.kind) {
    case ErrorKind::not_found: return not_found(error.what, subject);
    case ErrorKind::exists: return precondition_failed("If-None-Match");
    case ErrorKind::invalid: return invalid(error.what, subject);
    case ErrorKind::too_large:
      return {"KeyTooLongError",
              400,
              "Your key is too long",
              {{"MaxSizeAllowed", "1024"}, {"Size", std::to_string(subject.key.size())}}};
    case ErrorKind::denied: return access_denied();
    case ErrorKind::conflict: return conflict(error.what, subject);
    case ErrorKind::full:
      return {"ServiceUnavailable", 503, "There is no room on the disk of this server.", {}};
    case ErrorKind::unavailable:
    case ErrorKind::corrupt:  // No details out.
      return {"InternalError", 500, "We encountered an internal error. Please try again.", {}};
    case ErrorKind::cancelled:
      return {"ServiceUnavailable", 503, "The server is going down. Please try again.", {}};
    case ErrorKind::unsupported: return {"NotImplemented", 501, error.what, {}};
  }
  std::unreachable();
}

wire::Fault access_denied() {
  return {"AccessDenied", 403, "Access Denied", {}};
}

wire::Fault not_implemented(std::string_view header) {
  return {"NotImplemented",
          501,
          "A header you provided implies functionality that is not implemented",
          {{"Header", std::string(header)}}};
}

wire::Fault invalid_argument(std::string message, std::string_view name, std::string_view value) {
  return {"InvalidArgument",
          400,
          std::move(message),
          {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}}};
}

wire::Fault invalid_request(std::string message) {
  return {"InvalidRequest", 400, std::move(message), {}};
}

wire::Fault bad_digest(std::string_view algorithm) {
  return {"BadDigest",
          400,
          fmt::format("The {} you specified did not match {}.", algorithm,
                      algorithm == "Content-MD5" ? "what we received" : "the calculated checksum"),
          {}};
}

wire::Fault precondition_failed(std::string_view condition) {
  return {"PreconditionFailed",
          412,
          "At least one of the pre-conditions you specified did not hold",
          {{"Condition", std::string(condition)}}};
}

wire::Fault no_such_key(const std::string& key) {
  return {"NoSuchKey", 404, "The specified key does not exist.", {{"Key", key}}};
}

}  // namespace laketap::api::s3
