// JSON <-> structs, by the tables. Inner header of wire.
#pragma once

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

// Keys are the model's member names: those of every JSON service, and of the others when a caller
// inside this program holds their input as JSON.

// Fills `target` (a struct of `shape`, freshly made) from a JSON document. Unknown members are
// skipped but must be JSON; null is absent; of a key that comes twice the last counts. `readable`
// bytes may be read from text.data() on; with 64 more than the text nothing is copied first.
// Base64Views in `target` borrow `text`.
// Errors: the fault to answer: type clashes first, then all constraints that are broken.
std::optional<Fault> read_json(const Service& service, const Shape& shape, std::string_view text,
                               size_t readable, void* target);

// Appends `value` as compact JSON (Fluent Bit searches answers for "FailedPutCount":0).
void write_json(const Shape& shape, const void* value, std::string& out);

// Appends a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
void write_json_text(std::string_view text, std::string& out);

}  // namespace laketap::wire
