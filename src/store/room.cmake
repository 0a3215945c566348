target_link_libraries(room_store PUBLIC Boost::json)
