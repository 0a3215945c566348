target_link_libraries(room_query PUBLIC Boost::json)
