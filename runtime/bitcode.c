/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* The whole runtime as external functions: compiled to bitcode, which the object path links. */
#define THIMBLE_RT
#define THIMBLE_RT_LARGE __attribute__((noinline))
#include "thimble_runtime.h"
