target_link_libraries(room_http PUBLIC OpenSSL::Crypto)
target_link_libraries(room_http PUBLIC Boost::json)
