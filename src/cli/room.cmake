# The built-in pipeline's template, as a text in the program.
file(READ ${CMAKE_SOURCE_DIR}/src/cli/pipeline.yaml LAKETAP_PIPELINE_TEMPLATE)
configure_file(${CMAKE_SOURCE_DIR}/src/cli/pipeline_template.h.in ${CMAKE_BINARY_DIR}/generated/cli/pipeline_template.h @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/pipeline.yaml)
target_link_libraries(room_cli PUBLIC CLI11::CLI11 pugixml spdlog::spdlog)
