target_link_libraries(room_identity PUBLIC Boost::json PRIVATE PkgConfig::SODIUM)
