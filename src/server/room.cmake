target_link_libraries(room_server PUBLIC OpenSSL::SSL OpenSSL::Crypto llhttp Boost::headers)
