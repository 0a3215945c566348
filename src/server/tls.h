// TLS on a socket that exists already: OpenSSL over the non-blocking descriptor. Inner header of
// server.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace laketap::server {

// What all TLS connections of a listener share. Thread-safe.
class TlsContext {
 public:
  // TLS 1.2 and 1.3, no renegotiation, ALPN http/1.1 only. Errors: invalid - no certificate or key,
  // or they do not belong together.
  static Result<std::unique_ptr<TlsContext>> make(const std::string& certificate_pem,
                                                  const std::string& key_pem);
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
};

using TlsStream = std::unique_ptr<SSL, decltype(&SSL_free)>;
// Of the server's side; null when there is no memory.
TlsStream make_stream(const TlsContext& context, int descriptor);

// What one step of OpenSSL's came to.
struct TlsStep {
  enum class Wants { nothing, to_read, to_write, to_end } wants;
  size_t moved = 0;
};
TlsStep tls_accept(SSL* stream);
TlsStep tls_read(SSL* stream, char* target, size_t size);
TlsStep tls_write(SSL* stream, std::string_view bytes);

}  // namespace laketap::server
