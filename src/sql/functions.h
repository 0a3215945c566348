// Functions: which there are, what they give for given arguments, and how DuckDB says it. Inner
// header of sql.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/types.h"

namespace laketap::sql {

std::string_view signature_lines();  // signatures.cc
std::string_view recorded_signatures(
    std::string_view name);  // signature_words.cc; "" when there are none.

enum class FunctionKind { scalar, aggregate, window };

// An argument of a call. A lambda's type is known once its parameters' types are: `body` types it.
struct Argument {
  std::optional<Type> type;
  size_t lambda_parameters = 0;
  std::function<Type(const std::vector<Type>&)> body;
};

struct Resolved {
  FunctionKind kind = FunctionKind::scalar;
  Type result;
  std::vector<Type> parameters;  // What each argument is coerced to.
  std::vector<std::vector<Type>>
      lambda_inputs;  // Of lambda arguments: their parameters' types; else empty.
};

bool is_function(std::string_view name);  // Lower case.
bool is_aggregate(std::string_view name);
bool is_window_only(std::string_view name);

// The best signature for these arguments; nothing when none fits.
std::optional<Resolved> resolve_function(std::string_view name,
                                         const std::vector<Argument>& arguments);
// "abs(double), abs(bigint)": the signatures, for messages.
std::string expected_signatures(std::string_view name);

// DuckDB's text: `$1` .. `$9` are the printed arguments, `$*` all of them. Empty: there is none
// yet. `types` are the arguments' types after coercion.
std::string function_recipe(std::string_view name, const std::vector<Type>& types,
                            const Type& result);

}  // namespace laketap::sql
