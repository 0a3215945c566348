// Who calls, and what he may do: the root key, the console's first user, and the roles that stacks
// make.
//
// For now the root key may do all; roles and their policies are kept and shown, and not yet
// enforced (docs/gaps.md). Source: IAM API reference; design of the operator's contract in
// README.md.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/random.h"
#include "state/state.h"

namespace laketap::identity {

struct Caller {
  std::string account = "000000000000";
  std::string arn = "arn:aws:iam::000000000000:root";
  std::string access_key_id;
  bool is_root = false;
  std::string region = "us-east-1";  // Of the signature.
};

struct Options {
  std::string directory;  // The data folder.
  std::string account = "000000000000";
  // Used at first start; generated when empty.
  std::string root_access_key, root_secret_key, console_password;
};

// Thread-safe.
class Identities {
  struct Opening {};  // Only open() makes one.

 public:
  Identities(Opening, io::Clock& clock, io::Random& random) : clock_(clock), random_(random) {}

  // Reads DIR/credentials.json, or makes it (mode 0600). Errors: invalid - a bad key in Options;
  // corrupt; unavailable.
  static Result<std::unique_ptr<Identities>> open(const Options& options, io::Files& files,
                                                  io::Clock& clock, io::Random& random);

  // The secret of an access key; absent for an unknown one.
  std::optional<std::string> secret(std::string_view access_key_id) const;
  Caller caller(std::string_view access_key_id, std::string_view region) const;
  // Errors: denied.
  Result<> authorize(const Caller& caller, std::string_view action,
                     std::string_view resource) const;

  const std::string& root_access_key() const { return root_access_key_; }
  const std::string& root_secret_key() const { return root_secret_key_; }
  // The console's password, when this start made it up: to be printed once.
  const std::optional<std::string>& new_console_password() const { return new_console_password_; }

  // A new session's token when the password is right; absent when it is not. Takes about 50 ms of
  // CPU on purpose.
  std::optional<std::string> log_in(std::string_view user, std::string_view password);
  // The user of a live session.
  std::optional<std::string> session_user(std::string_view token) const;
  void log_out(std::string_view token);

 private:
  struct Session {
    std::string user;
    std::chrono::microseconds ends;
  };
  io::Clock& clock_;
  io::Random& random_;
  std::string account_, root_access_key_, root_secret_key_, console_hash_;
  std::optional<std::string> new_console_password_;
  mutable std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;  // By the token's hash.
  std::mutex hashing_;  // One password at a time: a check takes 64 MiB.
};

// The keys of a data folder, for `laketap env`. Errors: not_found - no server ever started there;
// corrupt.
struct RootKeys {
  std::string access_key, secret_key;
};
Result<RootKeys> read_root_keys(io::Files& files, const std::string& directory);

}  // namespace laketap::identity
