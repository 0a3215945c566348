target_link_libraries(room_server PUBLIC OpenSSL::Crypto llhttp Boost::headers)
