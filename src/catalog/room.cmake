target_link_libraries(room_catalog PUBLIC Boost::json)
