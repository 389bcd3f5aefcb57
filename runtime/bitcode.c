/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* The whole runtime as external functions: compiled to bitcode, which the object path links. */
#define THIMBLE_RT
#include "thimble_runtime.h"
