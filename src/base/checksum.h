// CRC32C (Castagnoli, RFC 3720), in hardware.
#pragma once

#include "base/bytes.h"

namespace laketap {

// Continues from `seed`, the CRC of what came before (0 for a start). Thread-safe.
uint32_t crc32c(ByteView bytes, uint32_t seed = 0);

}  // namespace laketap
