// A certificate for this machine's own names, signed by an authority of the data folder's own: for
// clients that cannot speak plain HTTP and were not given a certificate of the operator's.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/files.h"

namespace laketap::server {

struct Certificate {
  std::string chain_pem, key_pem;
};

// For localhost, 127.0.0.1 and ::1. Made at first use in `directory`: ca.pem (to be given to
// clients), ca-key.pem, server.pem, server-key.pem, all mode 0600; the server's again when it has
// less than a month left, under the same authority.
// Errors: corrupt - a file that is none of ours; unavailable.
Result<Certificate> own_certificate(io::Files& files, const std::string& directory, Timestamp now);

}  // namespace laketap::server
