target_link_libraries(room_worker PUBLIC duckdb_header simdjson base64 ZLIB::ZLIB PkgConfig::SECCOMP
                      ${CMAKE_DL_LIBS})
