target_link_libraries(room_stacks PUBLIC Boost::json PRIVATE yaml-cpp PkgConfig::PCRE2)
