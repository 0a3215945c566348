// What both kinds of database share: a transaction's own writes laid over a snapshot, the ranges it
// read, and the check at commit. Inner header of state.
#pragma once

#include <map>
#include <set>

#include "state/state.h"

namespace laketap::state {

// A range of keys that was read: first <= key < end, an empty end is no bound.
struct ReadRange {
  std::string first, end;
};

struct Changes {
  std::map<std::string, std::optional<std::string>, std::less<>> writes;  // Absent: erased.
  std::set<std::string, std::less<>> read_keys;
  std::vector<ReadRange> read_ranges;
  uint64_t snapshot = 0;  // The last version this transaction sees.
};

// Lays `writes` over `entries`, which are all entries of the range up to `limit` (then `limit` of
// them).
std::vector<Entry> overlay(std::vector<Entry> entries, const Changes& changes,
                           std::string_view first, std::string_view end, size_t limit);

}  // namespace laketap::state
