#include "journal/ledger.h"

#include <algorithm>

namespace laketap::journal {

void Ledger::add_payload(SegmentId segment, Group group) {
  if (group == last_group_ && segment == last_segment_) return;
  last_group_ = group;
  last_segment_ = segment;
  GroupState& state = groups_[group];
  if (!state.segments.empty() && state.segments.back() == segment) return;
  state.segments.push_back(segment);
  SegmentState& home = segments_[segment];
  home.groups.push_back(group);
  if (!state.is_released) ++home.living_count;
}

void Ledger::add_release(SegmentId segment, Group group) {
  const auto at = groups_.find(group);
  if (at == groups_.end()) return;
  GroupState& state = at->second;
  if (!state.is_released) {
    state.is_released = true;
    for (const SegmentId home : state.segments) --segments_[home].living_count;
  }
  state.release_segment = segment;
  segments_[segment].releases.push_back(group);
}

void Ledger::drop(SegmentId segment) {
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return;
  for (const Group group : at->second.groups) {
    const auto state = groups_.find(group);
    if (state == groups_.end()) continue;
    std::erase(state->second.segments, segment);
    if (state->second.segments.empty()) groups_.erase(state);
  }
  segments_.erase(at);
  if (last_segment_ == segment) last_segment_ = 0;
  last_group_ = 0;
}

bool Ledger::ask_release(Group group) {
  const auto at = groups_.find(group);
  if (at == groups_.end() || at->second.is_released || at->second.is_asked) return false;
  at->second.is_asked = true;
  return true;
}

bool Ledger::is_released(Group group) const {
  const auto at = groups_.find(group);
  return at != groups_.end() && at->second.is_released;
}

bool Ledger::is_living(Group group) const {
  const auto at = groups_.find(group);
  return at != groups_.end() && !at->second.is_released;
}

size_t Ledger::living_count(SegmentId segment) const {
  const auto at = segments_.find(segment);
  return at == segments_.end() ? 0 : at->second.living_count;
}

std::vector<Group> Ledger::needed_releases(SegmentId segment) const {
  std::vector<Group> needed;
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return needed;
  for (const Group group : at->second.releases) {
    const auto state = groups_.find(group);
    if (state == groups_.end() || state->second.release_segment != segment) continue;
    const bool is_elsewhere = std::ranges::any_of(
        state->second.segments, [segment](SegmentId home) { return home != segment; });
    if (is_elsewhere) needed.push_back(group);
  }
  return needed;
}

std::vector<Group> Ledger::groups(SegmentId segment) const {
  const auto at = segments_.find(segment);
  return at == segments_.end() ? std::vector<Group>() : at->second.groups;
}

std::vector<Group> Ledger::known_releases(SegmentId segment) const {
  std::vector<Group> known;
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return known;
  for (const Group group : at->second.releases)
    if (groups_.contains(group)) known.push_back(group);
  return known;
}

bool Ledger::would_free_one(const std::vector<Group>& releases,
                            const std::vector<SegmentId>& segments) const {
  std::map<SegmentId, size_t> freed;
  for (const Group group : releases) {
    const auto at = groups_.find(group);
    if (at == groups_.end() || at->second.is_released) continue;
    for (const SegmentId home : at->second.segments) ++freed[home];
  }
  return std::ranges::any_of(segments, [&](SegmentId segment) {
    const auto at = freed.find(segment);
    return living_count(segment) <= (at == freed.end() ? 0 : at->second);
  });
}

}  // namespace laketap::journal
