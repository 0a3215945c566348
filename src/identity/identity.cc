#include "identity/identity.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/bytes.h"

namespace laketap::identity {
namespace {

namespace json = boost::json;

constexpr std::string_view kFile = "credentials.json";
constexpr size_t kFileBytesMax = 64 << 10;
constexpr size_t kSessionsMax = 1000;
constexpr std::chrono::hours kSessionLength{12};
constexpr std::string_view kConsoleUser = "admin";

constexpr std::string_view kKeyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string hash_of_token(std::string_view token) {
  uint8_t hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const uint8_t*>(token.data()),
                     token.size(), nullptr, 0);
  return to_hex(hash);
}

Result<std::string> hash_password(const std::string& password) {
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    return fail(ErrorKind::unavailable, "no memory to hash a password");
  return std::string(hash);
}

Result<> check_key(const std::string& access_key, const std::string& secret) {
  const auto printable = [](const std::string& text) {
    return std::ranges::all_of(text,
                               [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ','; });
  };
  if (access_key.size() < 3 || access_key.size() > 128 || !printable(access_key))
    return fail(ErrorKind::invalid,
                "the root access key must have 3 to 128 printable characters, no slash, no comma");
  if (secret.size() < 8 || secret.size() > 256)
    return fail(ErrorKind::invalid, "the root secret key must have 8 to 256 characters");
  return {};
}

Result<json::object> read_json(io::Files& files, const std::string& path) {
  const Result<std::string> text = io::read_file(files, path, kFileBytesMax);
  if (!text) return fail(text.error());
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return fail(ErrorKind::corrupt, path + " is damaged");
  for (const char* member : {"access_key", "secret_key", "console_hash", "account"}) {
    const json::value* found = value.get_object().if_contains(member);
    if (!found || !found->is_string()) return fail(ErrorKind::corrupt, path + " lacks " + member);
  }
  return std::move(value.get_object());
}

}  // namespace

Result<RootKeys> read_root_keys(io::Files& files, const std::string& directory) {
  const Result<json::object> stored = read_json(files, directory + "/" + std::string(kFile));
  if (!stored) return fail(stored.error());
  return RootKeys{std::string(stored->at("access_key").as_string()),
                  std::string(stored->at("secret_key").as_string())};
}

Result<std::unique_ptr<Identities>> Identities::open(const Options& options, io::Files& files,
                                                     io::Clock& clock, io::Random& random) {
  if (sodium_init() < 0) return fail(ErrorKind::unavailable, "libsodium does not start");
  auto made = std::make_unique<Identities>(Opening{}, clock, random);
  const std::string path = options.directory + "/" + std::string(kFile);
  Result<json::object> stored = read_json(files, path);
  if (!stored && stored.error().kind != ErrorKind::not_found) return fail(stored.error());
  if (!stored) {
    std::string access_key = options.root_access_key;
    std::string secret = options.root_secret_key;
    if (options.account.size() != 12 ||
        options.account.find_first_not_of("0123456789") != std::string::npos)
      return fail(ErrorKind::invalid, "an account has twelve digits");
    if (access_key.empty() != secret.empty())
      return fail(ErrorKind::invalid, "give both root keys or none");
    if (access_key.empty()) {
      access_key = "LTAK" + io::random_text(random, 16, kKeyAlphabet);
      secret = io::random_text(random, 40, kSecretAlphabet);
    }
    if (const Result<> good = check_key(access_key, secret); !good) return fail(good.error());
    std::string password = options.console_password;
    if (password.empty()) {
      password = io::random_text(random, 20, kSecretAlphabet);
      made->new_console_password_ = password;
    }
    const Result<std::string> hash = hash_password(password);
    if (!hash) return fail(hash.error());
    stored = json::object{{"access_key", access_key},
                          {"secret_key", secret},
                          {"console_hash", *hash},
                          {"account", options.account}};
    if (const Result<> written = io::replace_file(files, path, json::serialize(*stored) + "\n");
        !written)
      return fail(written.error(), "writing the credentials");
  }
  made->account_ = std::string(stored->at("account").as_string());
  made->root_access_key_ = std::string(stored->at("access_key").as_string());
  made->root_secret_key_ = std::string(stored->at("secret_key").as_string());
  made->console_hash_ = std::string(stored->at("console_hash").as_string());
  return made;
}

std::optional<std::string> Identities::secret(std::string_view access_key_id) const {
  if (access_key_id != root_access_key_) return std::nullopt;
  return root_secret_key_;
}

Caller Identities::caller(std::string_view access_key_id, std::string_view region) const {
  return {.account = account_,
          .arn = fmt::format("arn:aws:iam::{}:root", account_),
          .access_key_id = std::string(access_key_id),
          .is_root = access_key_id == root_access_key_,
          .region = std::string(region)};
}

Result<> Identities::authorize(const Caller& caller, std::string_view action,
                               std::string_view resource) const {
  if (caller.is_root) return {};
  return fail(ErrorKind::denied,
              fmt::format("User: {} is not authorized to perform: {} on resource: {}", caller.arn,
                          action, resource));
}

std::optional<std::string> Identities::log_in(std::string_view user, std::string_view password) {
  {
    const std::scoped_lock one(hashing_);
    const bool right =
        crypto_pwhash_str_verify(console_hash_.c_str(), password.data(), password.size()) == 0;
    if (!right || user != kConsoleUser) return std::nullopt;
  }
  const std::string token = io::random_text(random_, 43, kSecretAlphabet);
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.monotonic();
  std::erase_if(sessions_, [&](const auto& one) { return one.second.ends < now; });
  if (sessions_.size() >= kSessionsMax) sessions_.erase(sessions_.begin());
  sessions_[hash_of_token(token)] = {std::string(user), now + kSessionLength};
  return token;
}

std::optional<std::string> Identities::session_user(std::string_view token) const {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(hash_of_token(token));
  if (found == sessions_.end() || found->second.ends < clock_.monotonic()) return std::nullopt;
  return found->second.user;
}

void Identities::log_out(std::string_view token) {
  const std::scoped_lock lock(mutex_);
  sessions_.erase(hash_of_token(token));
}

}  // namespace laketap::identity
