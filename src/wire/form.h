// Forms (a=1&b.member.1=x) -> structs: the Query protocol, and query strings. Inner header of wire.
#pragma once

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

inline constexpr size_t kFormPairsMax =
    20'000;  // CreateStack with 200 parameters and 50 tags has 510.

struct Form {
  std::vector<std::pair<std::string, std::string>> pairs;  // Decoded, sorted by key.

  const std::string* find(std::string_view key) const;  // The first, when a key comes twice.
};

// '+' is a blank. Errors: invalid - a bad escape. too_large - over kFormPairsMax.
Result<Form> parse_form(std::string_view text);

// Fills `target` from A.B.member.1.C=... Errors: the fault to answer.
std::optional<Fault> read_form(const Service& service, const Shape& shape, const Form& form,
                               void* target);

}  // namespace laketap::wire
