#include "server/authority.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

namespace laketap::server {
namespace {

constexpr size_t kPemBytesMax = 64 << 10;
constexpr int64_t kDay = 24 * 60 * 60;
constexpr int64_t kAuthorityDays = 3650;
constexpr int64_t kServerDays = 397;  // What browsers take at most.
constexpr int64_t kRenewDays = 30;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* one) const {
    Free(one);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

struct Pair {
  X509Pointer certificate;
  Key key;
};

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}
std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}
std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

bool extend(X509* certificate, X509* issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension made(X509V3_EXT_conf_nid(nullptr, &context, what, value));
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

// Signed by `issuer`, or by itself when that is null.
Result<Pair> make_pair(const char* name, int64_t days, Timestamp now, const Pair* issuer) {
  Pair made{X509Pointer(X509_new()), Key(EVP_EC_gen("P-256"))};
  X509* certificate = made.certificate.get();
  uint64_t serial = 0;
  if (!certificate || !made.key ||
      RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return fail(ErrorKind::unavailable, "making a key");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  ASN1_TIME_set(X509_getm_notBefore(certificate), seconds.count() - kDay);
  ASN1_TIME_set(X509_getm_notAfter(certificate), seconds.count() + days * kDay);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* signer = issuer ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509_set_pubkey(certificate, made.key.get());
  bool good = extend(certificate, signer, NID_subject_key_identifier, "hash") &&
              extend(certificate, signer, NID_authority_key_identifier, "keyid:always");
  if (issuer)
    good = good && extend(certificate, signer, NID_basic_constraints, "critical,CA:FALSE") &&
           extend(certificate, signer, NID_key_usage, "critical,digitalSignature") &&
           extend(certificate, signer, NID_ext_key_usage, "serverAuth") &&
           extend(certificate, signer, NID_subject_alt_name,
                  "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1");
  else
    good = good && extend(certificate, signer, NID_basic_constraints, "critical,CA:TRUE") &&
           extend(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  EVP_PKEY* signing = issuer ? issuer->key.get() : made.key.get();
  if (!good || X509_sign(certificate, signing, EVP_sha256()) == 0)
    return fail(ErrorKind::unavailable, "making a certificate");
  return made;
}

// Errors: not_found - one of the two is not there.
Result<Pair> read_pair(io::Files& files, const std::string& stem) {
  const Result<std::string> certificate = io::read_file(files, stem + ".pem", kPemBytesMax);
  if (!certificate) return fail(certificate.error());
  const Result<std::string> key = io::read_file(files, stem + "-key.pem", kPemBytesMax);
  if (!key) return fail(key.error());
  const Bio certificate_bio(
      BIO_new_mem_buf(certificate->data(), static_cast<int>(certificate->size())));
  const Bio key_bio(BIO_new_mem_buf(key->data(), static_cast<int>(key->size())));
  Pair read{X509Pointer(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr)),
            Key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr))};
  if (!read.certificate || !read.key)
    return fail(ErrorKind::corrupt, stem + ".pem or its key is damaged");
  return read;
}

Result<> write_pair(io::Files& files, const std::string& stem, const Pair& pair) {
  if (const Result<> key = io::replace_file(files, stem + "-key.pem", pem_of(pair.key.get())); !key)
    return key;
  return io::replace_file(files, stem + ".pem", pem_of(pair.certificate.get()));
}

bool is_fresh(X509* certificate, Timestamp now) {
  auto then = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() +
              kRenewDays * kDay;
  return X509_cmp_time(X509_get0_notAfter(certificate), &then) > 0;
}

}  // namespace

Result<Certificate> own_certificate(io::Files& files, const std::string& directory, Timestamp now) {
  if (const Result<> made = io::make_durable_directories(files, directory); !made)
    return fail(made.error());
  Result<Pair> authority = read_pair(files, directory + "/ca");
  if (!authority && authority.error().kind != ErrorKind::not_found) return fail(authority.error());
  const bool is_new = !authority;
  if (is_new) {
    authority = make_pair("Laketap's own authority", kAuthorityDays, now, nullptr);
    if (!authority) return fail(authority.error());
    if (const Result<> written = write_pair(files, directory + "/ca", *authority); !written)
      return fail(written.error());
  }
  Result<Pair> server = read_pair(files, directory + "/server");
  if (!server && server.error().kind != ErrorKind::not_found) return fail(server.error());
  if (is_new || !server || !is_fresh(server->certificate.get(), now)) {
    server = make_pair("localhost", kServerDays, now, &*authority);
    if (!server) return fail(server.error());
    if (const Result<> written = write_pair(files, directory + "/server", *server); !written)
      return fail(written.error());
  }
  return Certificate{pem_of(server->certificate.get()) + pem_of(authority->certificate.get()),
                     pem_of(server->key.get())};
}

}  // namespace laketap::server
