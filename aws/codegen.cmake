# Writes build/generated/wire/: the types of AWS's operations, from botocore's models (aws/README.md).
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
file(GLOB LAKETAP_BOTOCORE_DATA ${LAKETAP_DEPS}/venv/lib/python3*/site-packages/botocore/data)
if(NOT LAKETAP_BOTOCORE_DATA)
  message(FATAL_ERROR "botocore's models are missing in ${LAKETAP_DEPS}/venv: run tools/bootstrap (or make build)")
endif()

set(codegen_command ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/aws/codegen
    --actions ${CMAKE_SOURCE_DIR}/aws/actions.toml --models ${LAKETAP_BOTOCORE_DATA}
    --out ${CMAKE_BINARY_DIR}/generated/wire)
execute_process(COMMAND ${codegen_command} --list-outputs OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "|" ";;" listed "${listed}")
string(REGEX REPLACE ";;.*" "" LAKETAP_WIRE_FILES "${listed}")
string(REGEX REPLACE ".*;;" "" codegen_models "${listed}")

# A new service in actions.toml means new files, which CMake must know of.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/aws/actions.toml)
file(GLOB codegen_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/aws/codegen/*.py)
add_custom_command(OUTPUT ${LAKETAP_WIRE_FILES} COMMAND ${codegen_command}
                   DEPENDS ${codegen_sources} ${CMAKE_SOURCE_DIR}/aws/actions.toml ${codegen_models}
                   COMMENT "Writing the types of AWS's operations" VERBATIM)
