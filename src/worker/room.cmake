target_link_libraries(room_worker PUBLIC duckdb_header simdjson base64 ZLIB::ZLIB PkgConfig::SECCOMP
                      ${CMAKE_DL_LIBS})
# Where the build found it: the last place to look in, for a program that was not installed.
target_compile_definitions(room_worker PRIVATE LAKETAP_DEPS="${LAKETAP_DEPS}")
