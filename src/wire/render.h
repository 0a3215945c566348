// Answers and faults as responses of each protocol. Inner header of wire.
#pragma once

#include "http/message.h"
#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

http::Response render_fault(const Service& service, const Call& call, const Fault& fault);
// `value`: a struct of the operation's output; a stream in it is taken out.
http::Response render_answer(const Service& service, const Operation& operation, const Call& call,
                             void* value);

// The resources that a call reaches for, from the operation's templates and its input.
std::vector<std::string> resource_arns(const Operation& operation, const Call& call,
                                       const void* input);

}  // namespace laketap::wire
