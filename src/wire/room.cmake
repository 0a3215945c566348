# The generated tables are part of this room; whoever links it may include its generated headers.
target_sources(room_wire PRIVATE ${LAKETAP_WIRE_FILES})
target_link_libraries(room_wire PUBLIC Boost::headers PRIVATE simdjson base64 pugixml PkgConfig::PCRE2)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/wire/cases_test.cc PROPERTIES COMPILE_DEFINITIONS
                            LAKETAP_CASES="${CMAKE_BINARY_DIR}/generated/wire/cases.txt")
