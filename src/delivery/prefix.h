// Prefixes with expressions, and the keys made from them (contract: firehose.md 6.4 and 7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "delivery/configuration.h"
#include "delivery/frame.h"

namespace laketap::delivery {

inline constexpr size_t kEvaluatedPrefixMax = 512;

// Firehose's text for what it refuses in the two prefixes, absent when both are allowed.
std::optional<std::string> prefix_problem(std::string_view prefix, std::string_view error_prefix,
                                          Timestamp now);

// The folders of a batch's object: the prefix evaluated for the batch's first moment.
// Deterministic: a batch's random strings come from its uuid, so a key can be made again after a
// crash.
std::string evaluate_prefix(std::string_view prefix, const BatchId& batch);

// <prefix><stream>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid><extension>
std::string object_key(const Configuration& configuration, const BatchId& batch);

}  // namespace laketap::delivery
