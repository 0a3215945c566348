// Definitions and runs as they stand in state. Inner header of crawler.
#pragma once

#include "crawler/crawler.h"

namespace laketap::crawler {

std::string write_definition(const Definition& definition);
Result<Definition> read_definition(std::string_view text);
std::string write_crawl(const Crawl& crawl);
Result<Crawl> read_crawl(std::string_view text);

std::string crawler_key(const std::string& name);
std::string crawls_prefix(const std::string& name);
std::string memos_prefix(const std::string& name);  // What write.h notes of its tables.
std::string crawl_key(const std::string& name, Timestamp started,
                      const std::string& id);  // Newest first.

}  // namespace laketap::crawler
