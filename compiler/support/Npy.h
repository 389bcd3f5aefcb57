// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy files (format version 1 to 3), little-endian and in C order.
#pragma once

#include "compiler/support/Result.h"
#include "dialects/nn/reference/Tensor.h"

#include <string>
#include <vector>

namespace thimble {

/// The array in `bytes`: bool, int8, uint8, int16, int32, int64 or float32. The file is untrusted.
Result<Tensor> readNpy(const std::vector<uint8_t> &bytes);

/// `tensor` as a file of version 1.
std::string writeNpy(const Tensor &tensor);

} // namespace thimble
