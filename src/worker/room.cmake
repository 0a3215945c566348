target_link_libraries(room_worker PUBLIC duckdb_header simdjson base64 ZLIB::ZLIB PkgConfig::SECCOMP
                      ${CMAKE_DL_LIBS})
# Where the build found it: the last place to look in, for a program that was not installed.
target_compile_definitions(room_worker PRIVATE LAKETAP_DEPS="${LAKETAP_DEPS}")

# The child process of the tests.
add_executable(worker_child EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/worker/child.cc)
target_link_libraries(worker_child PRIVATE room_worker)
set_target_properties(worker_child PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_compile_definitions(room_worker INTERFACE LAKETAP_WORKER_CHILD="${CMAKE_BINARY_DIR}/worker_child")
cmake_language(DEFER CALL add_dependencies worker_test worker_child)
