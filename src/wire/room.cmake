# The generated tables are part of this room; whoever links it may include its generated headers.
target_sources(room_wire PRIVATE ${LAKETAP_WIRE_FILES})
target_link_libraries(room_wire PUBLIC Boost::headers PRIVATE simdjson base64 pugixml PkgConfig::PCRE2)
