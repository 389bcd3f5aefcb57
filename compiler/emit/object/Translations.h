// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace thimble::object {

/// Registers --mcu-to-object, --mcu-to-asm, --mcu-to-llvmir and --mcu-to-sizes with
/// mlir-translate's registry.
void registerObjectTranslations();

} // namespace thimble::object
