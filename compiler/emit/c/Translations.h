// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace thimble::emit {

/// Registers --mcu-to-c with mlir-translate's registry: both files, one after the other.
void registerCTranslations();

} // namespace thimble::emit
