target_link_libraries(room_base PUBLIC fmt::fmt Boost::headers)
