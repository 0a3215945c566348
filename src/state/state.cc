#include "state/state.h"

#include <thread>

namespace laketap::state {

Result<> transact(Database& database, const std::function<Result<>(Transaction&)>& body) {
  for (int attempt = 1;; ++attempt) {
    const auto transaction = database.begin();
    if (!transaction) return fail(transaction.error());
    if (const Result<> done = body(**transaction); !done) return done;
    const Result<> committed = (*transaction)->commit();
    if (committed || committed.error().kind != ErrorKind::conflict || attempt == kAttemptsMax)
      return committed;
    // Whoever was faster is done by the time we ask again; waiting a little keeps many losers
    // apart.
    if (attempt > 3) std::this_thread::sleep_for(std::chrono::microseconds(50 * attempt));
  }
}

void append_part(std::string& key, std::string_view part) {
  for (const char c : part) {
    if (c == '\0' || c == '\1') {
      key += '\1';
      key += static_cast<char>(c + 1);
    } else {
      key += c;
    }
  }
  key += '\0';
}

std::vector<std::string> parts_of(std::string_view key) {
  std::vector<std::string> parts;
  std::string part;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '\0') {
      parts.push_back(std::move(part));
      part.clear();
    } else if (key[i] == '\1' && i + 1 < key.size()) {
      part += static_cast<char>(key[++i] - 1);
    } else {
      part += key[i];
    }
  }
  return parts;
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace laketap::state
