// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npz files: zip archives of .npy files, stored or deflated (PKWARE's APPNOTE.TXT).
#pragma once

#include "compiler/support/Npy.h"

namespace thimble {

/// An array and the name that its archive has for it, without ".npy".
struct NamedArray {
  std::string name;
  Tensor array;
};

/// The arrays in `bytes`, in the order of the archive's directory. The file is untrusted.
Result<std::vector<NamedArray>> readNpz(const std::vector<uint8_t> &bytes);

/// An archive of `arrays`, not compressed and without times: the same arrays give the same bytes.
std::string writeNpz(const std::vector<NamedArray> &arrays);

} // namespace thimble
