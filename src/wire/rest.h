// REST-XML (S3): which operation a request means, its input, its answer. Inner header of wire.
#pragma once

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

// By method, by what the path names, and by the keys and headers that the model requires. The
// operation that requires most wins; a key that it does not know is 501, so that it never becomes
// an object write.
Answer<const Operation*> match_rest(const Service& service, const http::RequestHead& head);

// Fills `target` from path, query, headers and body. Errors: the fault to answer.
std::optional<Fault> read_rest(const Service& service, const Operation& operation,
                               const http::RequestHead& head, RequestBody body, void* target);

// Takes the stream out of `value`, when it has one.
void write_rest(const Service& service, const Operation& operation, std::string_view method,
                void* value, http::Response& response);

}  // namespace laketap::wire
