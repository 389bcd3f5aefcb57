# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

# thimble_target_board(TARGET BOARD [STACK bytes])
#
# Makes the executable TARGET a firmware for BOARD: adds start-up code, the board's support and its
# linker script (targets/boards/BOARD.json says which). STACK is what the linker reserves at the
# top of RAM, 8192 unless told.
function(thimble_target_board target board)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "STACK" "")
  set(facts_file "${Thimble_BOARDS_DIR}/${board}.json")
  if(NOT EXISTS "${facts_file}")
    file(GLOB known RELATIVE "${Thimble_BOARDS_DIR}" "${Thimble_BOARDS_DIR}/*.json")
    string(REPLACE ".json" "" known "${known}")
    string(REPLACE ";" ", " known "${known}")
    message(FATAL_ERROR "thimble_target_board: unknown board '${board}', expected one of ${known}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${facts_file}")
  file(READ "${facts_file}" facts)
  foreach(key IN ITEMS files defines)
    set(${key})
    string(JSON count LENGTH "${facts}" startup ${key})
    if(count GREATER 0)
      math(EXPR last "${count} - 1")
      foreach(i RANGE ${last})
        string(JSON item GET "${facts}" startup ${key} ${i})
        list(APPEND ${key} "${item}")
      endforeach()
    endif()
  endforeach()
  list(TRANSFORM files PREPEND "${Thimble_STARTUP_DIR}/")
  set_target_properties(${target} PROPERTIES SUFFIX .elf)
  target_sources(${target} PRIVATE ${files})
  target_compile_definitions(${target} PRIVATE ${defines})
  target_include_directories(${target} PRIVATE "${Thimble_STARTUP_DIR}")
  set(script "${Thimble_BOARDS_DIR}/${board}.ld")
  target_link_options(${target} PRIVATE -nostartfiles --specs=nano.specs "-L${Thimble_STARTUP_DIR}"
    "-T${script}" -Wl,--gc-sections "-Wl,-Map=$<TARGET_FILE:${target}>.map")
  if(arg_STACK)
    target_link_options(${target} PRIVATE -Wl,--defsym=__stack_size=${arg_STACK})
  endif()
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS
    "${script};${Thimble_STARTUP_DIR}/sections.ld")
endfunction()
