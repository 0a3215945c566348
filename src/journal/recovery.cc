#include "journal/recovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "journal/segment.h"

namespace laketap::journal {
namespace {

Result<> scan_one(RecoveredSegment& segment) {
  Result<Scan> scan = scan_segment(*segment.reader);
  if (!scan) return fail(scan.error(), segment.path);
  segment.scan = std::move(*scan);
  const Result<uint64_t> size = segment.reader->size();
  if (!size) return fail(size.error());
  if (*size < segment.scan.header.bytes)
    return fail(ErrorKind::corrupt, segment.path + ": the file was cut short");
  return {};
}

Result<> scan_all(std::vector<RecoveredSegment>& segments, unsigned thread_count) {
  std::vector<Result<>> results(segments.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < segments.size(); i = next++) results[i] = scan_one(segments[i]);
  };
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < std::min<size_t>(thread_count, segments.size()); ++i)
      helpers.emplace_back(work);
    work();
  }
  for (Result<>& result : results)
    if (!result) return result;
  return {};
}

// A segment is sealed before the next one is used, and spare ones are used in order.
Result<> check_order(const std::vector<RecoveredSegment>& segments) {
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const RecoveredSegment& segment = segments[i];
    if (segment.scan.header.segment == segments[i + 1].scan.header.segment)
      return fail(ErrorKind::corrupt, segment.path + ": two files are the same segment");
    const bool is_followed =
        std::any_of(segments.begin() + static_cast<ptrdiff_t>(i) + 1, segments.end(),
                    [](const RecoveredSegment& other) { return other.scan.has_commits; });
    if (is_followed && !segment.scan.is_sealed)
      return fail(ErrorKind::corrupt,
                  fmt::format("{}: segment {} has no end, at offset {}, and others follow it",
                              segment.path, segment.scan.header.segment, segment.scan.end));
  }
  return {};
}

}  // namespace

Result<std::vector<RecoveredSegment>> recover_segments(io::Files& files,
                                                       const std::string& directory,
                                                       unsigned thread_count) {
  const auto names = files.list(directory);
  if (!names) return fail(names.error());
  std::vector<RecoveredSegment> segments;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    const auto file_number = parse_segment_file_name(name);
    if (!file_number) {
      if (name.ends_with(".new")) {
        if (const Result<> removed = files.remove(path); !removed) return fail(removed.error());
      }
      continue;
    }
    auto reader = files.open(path, {});
    if (!reader) return fail(reader.error());
    segments.push_back({path, *file_number, std::move(*reader), {}});
  }
  if (const Result<> scanned = scan_all(segments, thread_count); !scanned)
    return fail(scanned.error());
  std::ranges::sort(segments, {},
                    [](const RecoveredSegment& segment) { return segment.scan.header.segment; });
  if (const Result<> ordered = check_order(segments); !ordered) return fail(ordered.error());
  return segments;
}

}  // namespace laketap::journal
