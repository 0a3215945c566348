// An execution as it is kept in the history database: JSON under key("execution", ID).
//
//     ("execution", ID)                     the record
//     ("recent", WORKGROUP, inverse time, ID)   newest first
//     ("running", ID)                       not over yet: what a restart finds here is FAILED
//     ("token", TOKEN)                      which execution a client's token started, and of what
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/query.h"

namespace laketap::query {

std::string encode(const Execution& execution);
std::optional<Execution> decode(std::string_view json);  // Absent: not written by us.

std::string execution_key(std::string_view id);
std::string running_key(std::string_view id);
std::string token_key(std::string_view token);
std::string recent_key(std::string_view work_group, Timestamp submitted, std::string_view id);
std::string recent_prefix(std::string_view work_group);

}  // namespace laketap::query
