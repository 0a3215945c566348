// laketap env: lines for a shell to evaluate.
#include <fmt/format.h>

#include "cli/api_client.h"
#include "identity/identity.h"
#include "io/files.h"

namespace laketap::cli {

int env(const Target& target) {
  const Result<std::string> url = io::read_file(io::real_files(), target.data + "/endpoint", 4096);
  if (!url)
    return complain({ErrorKind::not_found, "no server was started on " + target.data +
                                               " yet: run `laketap up` first, or give --data"});
  const auto keys = identity::read_root_keys(io::real_files(), target.data);
  if (!keys) return complain(keys.error());
  const auto quoted = [](const std::string& text) {  // Safe in any shell, whatever the key holds.
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
  };
  fmt::print(
      "export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_REGION=us-east-1 "
      "AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL={} AWS_EC2_METADATA_DISABLED=true\n",
      quoted(keys->access_key), quoted(keys->secret_key), url->substr(0, url->find('\n')));
  return 0;
}

}  // namespace laketap::cli
