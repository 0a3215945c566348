#include "api/firehose/errors.h"

#include <fmt/core.h>

#include <utility>

namespace laketap::api::firehose {

// Texts: contract firehose.md 2 and 5. A server's fault refuses the whole request, in the words
// that make producers slow down and send it again.
wire::Fault to_fault(const Error& error, const wire::Call& call, std::string_view stream) {
  switch (error.kind) {
    case ErrorKind::not_found:
      return {"ResourceNotFoundException",
              400,
              fmt::format("Firehose {} under account {} not found.", stream, call.account),
              {}};
    case ErrorKind::exists:
      return {"ResourceInUseException",
              400,
              fmt::format("Firehose {} under accountId {} already exists", stream, call.account),
              {}};
    case ErrorKind::conflict: return {"ConcurrentModificationException", 400, error.what, {}};
    case ErrorKind::too_large: return {"LimitExceededException", 400, error.what, {}};
    case ErrorKind::invalid: return {"InvalidArgumentException", 400, error.what, {}};
    case ErrorKind::denied: return {"AccessDeniedException", 400, error.what, {}};
    case ErrorKind::full:
    case ErrorKind::unavailable:
    case ErrorKind::cancelled: return {"ServiceUnavailableException", 500, "Slow down.", {}};
    case ErrorKind::unsupported: return {"NotImplemented", 501, error.what, {}};
    case ErrorKind::corrupt:
      return {"InternalFailure", 500, "internal error", {}};  // No details out.
  }
  std::unreachable();
}

std::unexpected<wire::Fault> not_built(std::string_view what) {
  return wire::refuse(
      "NotImplemented", 501,
      fmt::format("{} is not built in this version of Laketap (docs/gaps.md)", what));
}

}  // namespace laketap::api::firehose
