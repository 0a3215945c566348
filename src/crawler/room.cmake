target_link_libraries(room_crawler PUBLIC Boost::json PRIVATE simdjson ZLIB::ZLIB)
