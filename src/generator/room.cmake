target_link_libraries(room_generator PUBLIC Boost::json PRIVATE base64)
