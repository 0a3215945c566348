// Names and texts as SQL writes them. Inner header; defined in show.cc.
#pragma once

#include <string>
#include <string_view>

namespace laketap::sql {

std::string lower(std::string_view text);       // ASCII.
std::string quote_text(std::string_view text);  // 'it''s'
std::string quote_name(std::string_view name);  // "a""b"

}  // namespace laketap::sql
