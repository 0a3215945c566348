// DuckDB's C API, loaded at run time: the server never links it, and the worker resolves every name
// before its sandbox closes.
#pragma once

#define DUCKDB_API_ALLOW_UNSTABLE 1
#include <duckdb.h>

#include <string>

#include "base/result.h"

namespace laketap::worker {

// clang-format off
#define LAKETAP_DUCK_FUNCTIONS(F)                                                              \
  F(create_config) F(set_config) F(destroy_config) F(open_ext) F(close) F(connect) F(disconnect) \
  F(interrupt) F(query) F(prepare) F(prepare_error) F(destroy_prepare)                         \
  F(pending_prepared_streaming) F(pending_error) F(execute_pending) F(destroy_pending)         \
  F(result_error) F(result_error_type) F(destroy_result) F(fetch_chunk) F(column_count)        \
  F(column_logical_type) F(free) F(vector_size)                                                \
  F(data_chunk_get_size) F(data_chunk_get_vector) F(data_chunk_set_size) F(destroy_data_chunk) \
  F(vector_get_data) F(vector_get_validity) F(vector_ensure_validity_writable)                 \
  F(vector_get_column_type) F(vector_assign_string_element_len)                                \
  F(unsafe_vector_assign_string_element_len)                                                   \
  F(list_vector_get_child) F(list_vector_get_size) F(list_vector_set_size)                     \
  F(list_vector_reserve) F(struct_vector_get_child) F(array_vector_get_child)                  \
  F(create_logical_type) F(create_list_type) F(create_map_type) F(create_struct_type)          \
  F(create_decimal_type) F(destroy_logical_type) F(get_type_id) F(decimal_scale)               \
  F(decimal_internal_type)                                                                   \
  F(list_type_child_type) F(array_type_child_type) F(array_type_array_size)                    \
  F(map_type_key_type) F(map_type_value_type) F(struct_type_child_count)                       \
  F(struct_type_child_name) F(struct_type_child_type)                                          \
  F(create_table_function) F(destroy_table_function) F(table_function_set_name)                \
  F(table_function_add_parameter) F(table_function_set_extra_info) F(table_function_set_bind)  \
  F(table_function_set_init) F(table_function_set_local_init) F(table_function_set_function)   \
  F(table_function_supports_projection_pushdown) F(register_table_function)                    \
  F(bind_get_extra_info) F(bind_add_result_column) F(bind_get_parameter) F(bind_set_bind_data) \
  F(bind_set_cardinality) F(bind_set_error) F(get_varchar) F(destroy_value)                    \
  F(init_get_bind_data) F(init_set_init_data) F(init_get_column_count)                         \
  F(init_get_column_index) F(init_set_max_threads) F(init_set_error)                           \
  F(function_get_bind_data) F(function_get_init_data) F(function_get_local_init_data)          \
  F(function_set_error)
// clang-format on

// The functions, without their "duckdb_". Filled by load_duck(), constant afterwards.
struct Duck {
#define LAKETAP_DUCK_MEMBER(name) decltype(&duckdb_##name) name = nullptr;
  LAKETAP_DUCK_FUNCTIONS(LAKETAP_DUCK_MEMBER)
#undef LAKETAP_DUCK_MEMBER
};

// Loads the library once in a process; later calls return the same.
// Errors: unavailable - no such library, or a name is missing in it.
Result<const Duck*> load_duck(const std::string& library);

}  // namespace laketap::worker
