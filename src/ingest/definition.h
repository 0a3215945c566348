// A stream's definition as a row of `state`: ingest.stream / NAME -> JSON.
#pragma once

#include "ingest/ingest.h"
#include "state/state.h"

namespace laketap::ingest {

std::string definition_key(std::string_view name);
std::string to_row(const Definition& definition);
// Errors: corrupt - no row of ours.
Result<Definition> from_row(std::string_view row);

// By name. The configurations in them have what the row of delivery has.
Result<std::vector<Definition>> read_definitions(state::Database& database);

}  // namespace laketap::ingest
