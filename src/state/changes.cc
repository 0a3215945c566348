#include "state/changes.h"

namespace laketap::state {

std::vector<Entry> overlay(std::vector<Entry> entries, const Changes& changes,
                           std::string_view first, std::string_view end, size_t limit) {
  if (changes.writes.empty()) return entries;
  std::map<std::string, Entry> merged;
  for (Entry& entry : entries) {
    std::string key = entry.key;
    merged.emplace(std::move(key), std::move(entry));
  }
  for (auto at = changes.writes.lower_bound(first);
       at != changes.writes.end() && (end.empty() || at->first < end); ++at) {
    if (at->second) {
      merged[at->first] = {at->first, *at->second, 0};
    } else {
      merged.erase(at->first);
    }
  }
  std::vector<Entry> out;
  for (auto& [key, entry] : merged) {
    if (out.size() == limit) break;
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace laketap::state
