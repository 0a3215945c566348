target_link_libraries(room_crawler PUBLIC Boost::json PRIVATE simdjson ZLIB::ZLIB)
# For the trees that the tests read.
target_link_libraries(room_crawler INTERFACE yaml-cpp ZLIB::ZLIB)
