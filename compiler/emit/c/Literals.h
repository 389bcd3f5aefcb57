// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Numbers as C spells them.
#pragma once

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"

#include <string>

namespace thimble::emit {

/// A signed integer of the width of `value` (at most 64), of type int or, for 64 bits, int64_t.
std::string signedLiteral(const llvm::APInt &value);
/// The shortest decimal that reads back as `value`, float or double; infinities and NaN by their
/// names in math.h. Independent of the locale.
std::string floatLiteral(const llvm::APFloat &value);
std::string floatLiteral(float value);

} // namespace thimble::emit
