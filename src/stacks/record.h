// A stack and its events as they stand in state. Inner header of stacks.
#pragma once

#include "stacks/stacks.h"

namespace laketap::stacks {

// JSON texts. Errors on reading: corrupt.
std::string write_stack(const Stack& stack);
Result<Stack> read_stack(std::string_view text);
std::string write_event(const StackEvent& event);
Result<StackEvent> read_event(std::string_view text);

// state keys. An event's number is written with leading zeroes, so a scan gives them in order.
std::string stack_key(const std::string& id);
std::string name_key(const std::string& name);  // -> the id of the live stack of that name.
std::string event_key(const std::string& id, uint64_t number);
std::string events_prefix(const std::string& id);
std::string stacks_prefix();

}  // namespace laketap::stacks
