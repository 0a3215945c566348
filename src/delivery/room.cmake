target_link_libraries(room_delivery PUBLIC spdlog::spdlog Boost::json ZLIB::ZLIB)
