// Firehose's codes and texts for what goes wrong.
#pragma once

#include "base/result.h"
#include "wire/wire.h"

namespace laketap::api::firehose {

// `stream` is the name that the caller used.
wire::Fault to_fault(const Error& error, const wire::Call& call, std::string_view stream);

inline std::unexpected<wire::Fault> invalid_argument(std::string message) {
  return wire::refuse("InvalidArgumentException", 400, std::move(message));
}
// "Snappy compression" and the like.
std::unexpected<wire::Fault> not_built(std::string_view what);

}  // namespace laketap::api::firehose
