// Base64 by libbase64. Inner header of wire.
#pragma once

#include "wire/types.h"

namespace laketap::wire {

inline constexpr const char* kBadBase64 = "Blob value is not base64";

void write_base64(ByteView bytes, std::string& out);

}  // namespace laketap::wire
