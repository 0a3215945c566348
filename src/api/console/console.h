// The console's one page, its log-in and the figures it shows. Not AWS's API: a cookie stands for
// the user.
//
// Against other sites' pages: the cookie is SameSite=Strict, every call but the page needs the
// header X-Laketap-Console, which no foreign page can send without a preflight that we refuse, and
// the page's policy allows its own script by hash and nothing else. Source: OWASP cheat sheets,
// "CSRF prevention" and "CSP".
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "http/message.h"
#include "identity/identity.h"
#include "ingest/ingest.h"
#include "io/clock.h"
#include "store/store.h"

namespace laketap::api::console {

struct Options {
  bool allow_plain_http_login = false;  // From other machines, without TLS.
};

// Thread-safe. Borrows all parts; they must outlive the last call.
class Console {
 public:
  struct Parts {
    identity::Identities& identities;
    const ingest::Streams& streams;
    const store::Store& store;
    const catalog::Catalog& catalog;
    io::Clock& clock;
  };
  Console(Options options, Parts parts);

  // Everything under /_console/. May block.
  http::Response handle(const http::RequestHead& head, std::string_view body);
  // For the list of newest objects. Cheap.
  void on_object(const store::Change& change);

 private:
  struct Newest {
    std::string bucket, key;
    uint64_t size = 0;
    Timestamp written;
  };
  http::Response page() const;
  http::Response log_in(const http::RequestHead& head, std::string_view body);
  http::Response log_out(const http::RequestHead& head);
  http::Response overview() const;
  // Too many wrong passwords lately: of anybody, since a guesser has many addresses.
  bool locked_out() const;

  const Options options_;
  Parts parts_;
  std::string policy_;
  mutable std::mutex mutex_;
  std::deque<Newest> newest_;  // Newest first, at most kNewestMax.
  std::deque<std::chrono::microseconds> wrong_;
};

inline constexpr size_t kNewestMax = 20;
inline constexpr size_t kWrongPasswordsMax = 10;  // Within kWrongPasswordsSpan.
inline constexpr std::chrono::seconds kWrongPasswordsSpan{60};

}  // namespace laketap::api::console
