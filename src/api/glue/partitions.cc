// Partitions, one by one and in batches.
#include "api/glue/doors.h"

namespace laketap::api::glue {
namespace {

constexpr size_t kPageMax = 1000;

// A partition's key in state holds NUL bytes: as hexadecimal digits it is a token.
std::string to_token(const std::string& key) {
  return to_hex(view(key));
}
std::optional<std::string> from_token(const std::string& token) {
  if (token.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < token.size(); i += 2) {
    const auto digit = [](char c) {
      return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    const int high = digit(token[i]);
    const int low = digit(token[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

model::ErrorDetail detail(const Error& error) {
  return {.error_code = error_code(error), .error_message = error.what};
}

class Doors {
 public:
  explicit Doors(catalog::Catalog& catalog) : catalog_(catalog) {}

  Answer<model::CreatePartitionResponse> create(const Call& call,
                                                model::CreatePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<> done = catalog_.create_partition(input.database_name, input.table_name,
                                                    from_model(input.partition_input));
    if (!done) return to_fault(done.error());
    return model::CreatePartitionResponse{};
  }
  Answer<model::BatchCreatePartitionResponse> create_all(
      const Call& call, model::BatchCreatePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    std::vector<catalog::Partition> wanted;
    for (const model::PartitionInput& one : input.partition_input_list)
      wanted.push_back(from_model(one));
    const auto done =
        catalog_.create_partitions(input.database_name, input.table_name, std::move(wanted));
    if (!done) return to_fault(done.error());
    model::BatchCreatePartitionResponse output;
    output.errors.emplace();
    for (size_t i = 0; i < done->size(); ++i)
      if (!(*done)[i])
        output.errors->push_back({.partition_values = input.partition_input_list[i].values,
                                  .error_detail = detail((*done)[i].error())});
    return output;
  }
  Answer<model::GetPartitionResponse> get(const Call& call,
                                          model::GetPartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const auto found =
        catalog_.find_partition(input.database_name, input.table_name, input.partition_values);
    if (!found) return to_fault(found.error());
    return model::GetPartitionResponse{
        .partition = to_model(*found, input.database_name, input.table_name, call.account)};
  }
  Answer<model::BatchGetPartitionResponse> get_all(const Call& call,
                                                   model::BatchGetPartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    if (const auto table = catalog_.find_table(input.database_name, input.table_name); !table)
      return to_fault(table.error());
    model::BatchGetPartitionResponse output;
    output.partitions.emplace();
    output.unprocessed_keys.emplace();
    for (const model::PartitionValueList& one : input.partitions_to_get)
      if (const auto found =
              catalog_.find_partition(input.database_name, input.table_name, one.values))
        output.partitions->push_back(
            to_model(*found, input.database_name, input.table_name, call.account));
    return output;
  }
  Answer<model::GetPartitionsResponse> list(const Call& call,
                                            model::GetPartitionsRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    std::string after;
    if (input.next_token && !input.next_token->empty()) {
      const auto decoded = from_token(*input.next_token);
      if (!decoded) return wire::refuse("InvalidInputException", 400, "Invalid pagination token.");
      after = *decoded;
    }
    catalog::Catalog::Segment segment{0, 1};
    if (input.segment)
      segment = {static_cast<uint64_t>(input.segment->segment_number),
                 static_cast<uint64_t>(input.segment->total_segments)};
    const size_t limit = input.max_results
                             ? std::min<size_t>(static_cast<size_t>(*input.max_results), kPageMax)
                             : kPageMax;
    const auto page = catalog_.partitions(input.database_name, input.table_name,
                                          input.expression.value_or(""), after, limit, segment);
    if (!page) return to_fault(page.error());
    model::GetPartitionsResponse output;
    output.partitions.emplace();
    for (const catalog::Partition& one : page->partitions) {
      output.partitions->push_back(
          to_model(one, input.database_name, input.table_name, call.account));
      if (input.exclude_column_schema.value_or(false) &&
          output.partitions->back().storage_descriptor)
        output.partitions->back().storage_descriptor->columns.reset();
    }
    if (!page->next.empty()) output.next_token = to_token(page->next);
    return output;
  }
  Answer<model::UpdatePartitionResponse> update(const Call& call,
                                                model::UpdatePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    catalog::Partition wanted = from_model(input.partition_input);
    if (wanted.values.empty()) wanted.values = input.partition_value_list;
    const Result<> done = catalog_.update_partition(input.database_name, input.table_name,
                                                    input.partition_value_list, std::move(wanted));
    if (!done) return to_fault(done.error());
    return model::UpdatePartitionResponse{};
  }
  Answer<model::BatchUpdatePartitionResponse> update_all(
      const Call& call, model::BatchUpdatePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    model::BatchUpdatePartitionResponse output;
    output.errors.emplace();
    for (const model::BatchUpdatePartitionRequestEntry& entry : input.entries) {
      catalog::Partition wanted = from_model(entry.partition_input);
      if (wanted.values.empty()) wanted.values = entry.partition_value_list;
      const Result<> done = catalog_.update_partition(
          input.database_name, input.table_name, entry.partition_value_list, std::move(wanted));
      if (!done)
        output.errors->push_back({.partition_value_list = entry.partition_value_list,
                                  .error_detail = detail(done.error())});
    }
    return output;
  }
  Answer<model::DeletePartitionResponse> remove(const Call& call,
                                                model::DeletePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    const Result<> done =
        catalog_.remove_partition(input.database_name, input.table_name, input.partition_values);
    if (!done) return to_fault(done.error());
    return model::DeletePartitionResponse{};
  }
  Answer<model::BatchDeletePartitionResponse> remove_all(
      const Call& call, model::BatchDeletePartitionRequest input) const {
    if (auto fault = check_catalog(input.catalog_id, call.account)) return std::unexpected(*fault);
    std::vector<std::vector<std::string>> values;
    for (const model::PartitionValueList& one : input.partitions_to_delete)
      values.push_back(one.values);
    const auto done = catalog_.remove_partitions(input.database_name, input.table_name, values);
    if (!done) return to_fault(done.error());
    model::BatchDeletePartitionResponse output;
    output.errors.emplace();
    for (size_t i = 0; i < done->size(); ++i)
      if (!(*done)[i])
        output.errors->push_back(
            {.partition_values = values[i], .error_detail = detail((*done)[i].error())});
    return output;
  }

 private:
  catalog::Catalog& catalog_;
};

}  // namespace

void register_partitions(wire::Operations& operations, catalog::Catalog& catalog) {
  Hinges<Doors> hinges{operations, std::make_shared<const Doors>(catalog)};
  hinges.add("CreatePartition", &Doors::create);
  hinges.add("BatchCreatePartition", &Doors::create_all);
  hinges.add("GetPartition", &Doors::get);
  hinges.add("BatchGetPartition", &Doors::get_all);
  hinges.add("GetPartitions", &Doors::list);
  hinges.add("UpdatePartition", &Doors::update);
  hinges.add("BatchUpdatePartition", &Doors::update_all);
  hinges.add("DeletePartition", &Doors::remove);
  hinges.add("BatchDeletePartition", &Doors::remove_all);
}

}  // namespace laketap::api::glue
