target_link_libraries(room_ingest PUBLIC spdlog::spdlog Boost::json)
