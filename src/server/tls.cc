#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

namespace laketap::server {
namespace {

constexpr std::string_view kProtocol = "http/1.1";

// Whoever names protocols must name ours; whoever names none means it.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_bytes, void*) {
  for (unsigned at = 0; at < offered_bytes;) {
    const unsigned length = offered[at];
    if (at + 1 + length > offered_bytes) break;
    const std::string_view one(reinterpret_cast<const char*>(offered) + at + 1, length);
    if (one == kProtocol) {
      *chosen = offered + at + 1;
      *size = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + length;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
Bio memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// The first certificate is ours, the others lead to its authority.
bool use_chain(SSL_CTX* context, const std::string& pem) {
  const Bio bio = memory(pem);
  bool first = true;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    const bool taken = first ? SSL_CTX_use_certificate(context, one) == 1
                             : SSL_CTX_add1_chain_cert(context, one) == 1;
    X509_free(one);
    if (!taken) return false;
    first = false;
  }
  ERR_clear_error();
  return !first;
}

TlsStep step(SSL* stream, int result, size_t moved) {
  if (result > 0) return {TlsStep::Wants::nothing, moved};
  switch (SSL_get_error(stream, result)) {
    case SSL_ERROR_WANT_READ: return {TlsStep::Wants::to_read};
    case SSL_ERROR_WANT_WRITE: return {TlsStep::Wants::to_write};
    default: return {TlsStep::Wants::to_end};
  }
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string& certificate_pem,
                                                     const std::string& key_pem) {
  auto made = std::make_unique<TlsContext>();
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made->context_.get();
  if (!context) return fail(ErrorKind::unavailable, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  if (!use_chain(context, certificate_pem))
    return fail(ErrorKind::invalid, "the TLS certificate is no PEM certificate");
  const Bio bio = memory(key_pem);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key) return fail(ErrorKind::invalid, "the TLS key is no PEM key");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return fail(ErrorKind::invalid, "the TLS key does not belong to the certificate");
  return made;
}

TlsStream make_stream(const TlsContext& context, int descriptor) {
  TlsStream stream(SSL_new(context.get()), &SSL_free);
  if (stream && SSL_set_fd(stream.get(), descriptor) != 1) stream.reset();
  return stream;
}

TlsStep tls_accept(SSL* stream) {
  ERR_clear_error();
  return step(stream, SSL_accept(stream), 0);
}

TlsStep tls_read(SSL* stream, char* target, size_t size) {
  ERR_clear_error();
  size_t moved = 0;
  const int result = SSL_read_ex(stream, target, size, &moved);
  return step(stream, result, moved);
}

TlsStep tls_write(SSL* stream, std::string_view bytes) {
  ERR_clear_error();
  size_t moved = 0;
  const int result = SSL_write_ex(stream, bytes.data(), bytes.size(), &moved);
  return step(stream, result, moved);
}

}  // namespace laketap::server
