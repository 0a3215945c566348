// Who needs which segment: pure bookkeeping, no disk, no locks (the journal's mutex guards it).
//
// A segment can be recycled when each group in it is released and no release in it is still needed,
// that is, no group it names has frames in another segment.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "journal/journal.h"

namespace laketap::journal {

class Ledger {
 public:
  using SegmentId = uint64_t;

  // Facts, in the order of the disk.
  void add_payload(SegmentId segment, Group group);
  void add_release(SegmentId segment, Group group);
  void drop(SegmentId segment);  // The file was recycled, durably.

  bool is_released(Group group) const;
  bool is_living(Group group) const;  // Has payloads and is not released.
  // Notes that somebody wants it released. False when there is nothing to do: unknown, or asked
  // for.
  bool ask_release(Group group);
  // Groups in the segment that are not released.
  size_t living_count(SegmentId segment) const;
  // Releases in the segment that must be written again elsewhere before it is recycled.
  std::vector<Group> needed_releases(SegmentId segment) const;
  // For a seal: of which groups it holds payloads, and which releases in it still mean something.
  std::vector<Group> groups(SegmentId segment) const;
  std::vector<Group> known_releases(SegmentId segment) const;
  // Whether releasing these would leave one of `segments` without a living group.
  bool would_free_one(const std::vector<Group>& releases,
                      const std::vector<SegmentId>& segments) const;

 private:
  struct GroupState {
    std::vector<SegmentId> segments;  // That hold frames of it, in order.
    bool is_asked = false;
    bool is_released = false;
    SegmentId release_segment = 0;  // Where the newest release of it stands.
  };
  struct SegmentState {
    std::vector<Group> groups;
    std::vector<Group> releases;
    size_t living_count = 0;
  };

  std::unordered_map<Group, GroupState> groups_;
  std::map<SegmentId, SegmentState> segments_;
  Group last_group_ = 0;  // Most payloads follow one of the same group in the same segment.
  SegmentId last_segment_ = 0;
};

}  // namespace laketap::journal
