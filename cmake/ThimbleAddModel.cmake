# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

# thimble_add_model(NAME MODEL file [TARGET generic|cortex-m4|BOARD] [EMIT c|obj]
#                   [OPTIMIZE speed|balanced|ram|flash] [FLAGS flag...])
#
# Compiles a network and adds the static library NAME, whose include directory holds NAME.h. FLAGS
# go to `thimble compile` as they are (--ram, --float-abi, ...). The model is compiled when CMake
# configures, and again whenever the model or the compiler changes: only then is it known which
# files there are. The property THIMBLE_REPORT of the library names the compilation's report.
function(thimble_add_model name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODEL;TARGET;EMIT;OPTIMIZE" "FLAGS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "thimble_add_model: unknown argument '${arg_UNPARSED_ARGUMENTS}', "
      "expected MODEL, TARGET, EMIT, OPTIMIZE or FLAGS")
  endif()
  if(NOT arg_MODEL)
    message(FATAL_ERROR "thimble_add_model: ${name} has no MODEL")
  endif()
  if(NOT arg_EMIT)
    set(arg_EMIT c)
  endif()
  if(NOT arg_EMIT MATCHES "^(c|obj)$")
    message(FATAL_ERROR "thimble_add_model: EMIT is '${arg_EMIT}', expected c or obj")
  endif()
  get_filename_component(model "${arg_MODEL}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${model}" "${Thimble_COMPILER}")

  set(flags --name ${name} --emit ${arg_EMIT})
  if(arg_TARGET)
    list(APPEND flags --target ${arg_TARGET})
  endif()
  if(arg_OPTIMIZE)
    list(APPEND flags --optimize ${arg_OPTIMIZE})
  endif()
  list(APPEND flags ${arg_FLAGS})

  # Compiled aside and copied where different: an unchanged model rebuilds nothing.
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/${name}.thimble")
  set(fresh "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.thimble")
  file(REMOVE_RECURSE "${fresh}")
  execute_process(
    COMMAND "${Thimble_COMPILER}" compile "${model}" -o "${fresh}" ${flags}
    RESULT_VARIABLE status
    ERROR_VARIABLE errors
    OUTPUT_QUIET)
  if(NOT status EQUAL 0)
    string(STRIP "${errors}" errors)
    message(FATAL_ERROR "thimble_add_model: ${name} was not compiled\n${errors}")
  endif()
  file(GLOB files RELATIVE "${fresh}" "${fresh}/*")
  file(GLOB old RELATIVE "${directory}" "${directory}/*")
  foreach(file IN LISTS old)
    if(NOT file IN_LIST files)
      file(REMOVE "${directory}/${file}")
    endif()
  endforeach()
  set(sources)
  foreach(file IN LISTS files)
    configure_file("${fresh}/${file}" "${directory}/${file}" COPYONLY)
    if(file MATCHES "\\.(c|h|o|s|S)$")
      list(APPEND sources "${directory}/${file}")
    endif()
  endforeach()

  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC "${directory}")
  set_target_properties(${name} PROPERTIES
    LINKER_LANGUAGE C
    C_STANDARD 11
    THIMBLE_REPORT "${directory}/${name}.report.json")
endfunction()
