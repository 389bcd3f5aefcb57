# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#
# Toolchain file for firmware on a Cortex-M4F with the Arm GNU toolchain. THIMBLE_FLOAT_ABI is
# hard (the default), softfp or soft.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES THIMBLE_FLOAT_ABI)

set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)

if(NOT THIMBLE_FLOAT_ABI)
  set(THIMBLE_FLOAT_ABI hard)
endif()
set(_thimble_core "-mcpu=cortex-m4 -mthumb -mfloat-abi=${THIMBLE_FLOAT_ABI}")
if(NOT THIMBLE_FLOAT_ABI STREQUAL "soft")
  string(APPEND _thimble_core " -mfpu=fpv4-sp-d16")
endif()
set(CMAKE_C_FLAGS_INIT "${_thimble_core} -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -fno-exceptions -fno-rtti")
set(CMAKE_ASM_FLAGS_INIT "${_thimble_core}")
# -O2 is what the compiler's estimates and the tests assume.
set(CMAKE_C_FLAGS_RELEASE_INIT "-O2")
set(CMAKE_CXX_FLAGS_RELEASE_INIT "-O2")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
