target_link_libraries(room_state PRIVATE SQLite::SQLite3)
