target_link_libraries(room_api PUBLIC Boost::json PkgConfig::PCRE2)
# The console's page, as a text in the program.
file(READ ${CMAKE_SOURCE_DIR}/console/index.html LAKETAP_CONSOLE_PAGE)
configure_file(${CMAKE_SOURCE_DIR}/src/api/console/page.h.in ${CMAKE_BINARY_DIR}/generated/api/console/page.h @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/console/index.html)
