/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Everything generated code may call; each part can also be included alone. */
#ifndef THIMBLE_RUNTIME_H
#define THIMBLE_RUNTIME_H

#include "thimble_dsp.h"
#include "thimble_elementwise.h"
#include "thimble_fixed_point.h"
#include "thimble_float_div.h"
#include "thimble_math.h"
#include "thimble_rows.h"
#include "thimble_types.h"

#endif /* THIMBLE_RUNTIME_H */
