#include "journal/recovery.h"

#include <algorithm>

#include "journal/segment.h"

namespace laketap::journal {
namespace {

Result<std::vector<RecoveredSegment>> find_segments(io::Files& files,
                                                    const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return fail(names.error());
  std::vector<RecoveredSegment> segments;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    const auto file_number = parse_segment_file_name(name);
    if (!file_number) {
      if (!name.ends_with(".new")) continue;
      if (const Result<> removed = files.remove(path); !removed) return fail(removed.error());
      continue;
    }
    io::OpenOptions options;
    options.direct = true;
    auto file = files.open(path, options);
    if (!file) return fail(file.error());
    Result<Summary> summary = summarize(**file);
    if (!summary) return fail(summary.error(), path);
    segments.push_back({path, *file_number, std::move(*file), std::move(*summary)});
  }
  std::ranges::sort(segments, {},
                    [](const RecoveredSegment& segment) { return segment.summary.header.segment; });
  return segments;
}

// A segment is sealed before the next one is used, and spare ones are used in order: the first that
// is not sealed is the newest or the first spare one, and no other can hold anything.
Result<> check_order(const std::vector<RecoveredSegment>& segments) {
  bool has_open_end = false;
  for (size_t i = 0; i < segments.size(); ++i) {
    const Summary& summary = segments[i].summary;
    if (i > 0 && segments[i - 1].summary.header.segment == summary.header.segment)
      return fail(ErrorKind::corrupt, segments[i].path + ": two files are the same segment");
    const Result<bool> begins = begins_with_commit(*segments[i].file, summary);
    if (!begins) return fail(begins.error());
    if (has_open_end && (summary.is_sealed || *begins))
      return fail(ErrorKind::corrupt, segments[i].path + ": an earlier segment has no seal");
    has_open_end = has_open_end || !summary.is_sealed;
  }
  return {};
}

Result<> complete_lists(std::vector<RecoveredSegment>& segments, bool read_ahead) {
  bool is_first_open = true;
  for (RecoveredSegment& segment : segments) {
    Summary& summary = segment.summary;
    if (!summary.is_sealed && std::exchange(is_first_open, false)) {
      const Result<> found = find_end(*segment.file, summary);
      if (!found) return fail(found.error(), segment.path);
    } else if (summary.is_sealed && !summary.has_lists) {
      const auto note = [&summary](const Frame& frame, uint64_t) {
        if (frame.kind == FrameKind::payload) return summary.groups.push_back(frame.group);
        for (const Group group : decode_groups(frame.payload)) summary.releases.push_back(group);
      };
      const Result<> visited = visit_frames(*segment.file, summary, read_ahead, note);
      if (!visited) return fail(visited.error(), segment.path);
    }
  }
  return {};
}

}  // namespace

Result<std::vector<RecoveredSegment>> recover_segments(io::Files& files,
                                                       const std::string& directory,
                                                       bool read_ahead) {
  auto segments = find_segments(files, directory);
  if (!segments) return segments;
  if (const Result<> ordered = check_order(*segments); !ordered) return fail(ordered.error());
  const Result<> completed = complete_lists(*segments, read_ahead);
  if (!completed) return fail(completed.error());
  return segments;
}

}  // namespace laketap::journal
