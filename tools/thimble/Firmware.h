// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Programs of generated code for a board: linked with its startup, run under QEMU.
#pragma once

#include "targets/Target.h"
#include "tools/thimble/Programs.h"

namespace thimble::driver {

/// The board that stands for a core, or for a board that QEMU does not emulate.
inline constexpr const char *anyEmulatedBoard = "mps2-an386";

/// What is needed to build and to run firmware and was not found, as text; empty if nothing is.
std::string missingForFirmware();

/// Sections of `board` for the regions of RAM after the first: memories of their own, as far as
/// there are any.
std::vector<std::string> regionSections(const Target &board);

/// Builds firmware.elf and firmware.map from the folder's main.c and the generated code beside it.
bool linkFirmware(ProgramFolder &folder, const CompileOptions &options, const Target &board);

/// Runs firmware.elf on `board`, one that QEMU emulates.
bool emulateFirmware(ProgramFolder &folder, const Target &board,
                     llvm::ArrayRef<std::string> extraArguments = {});

/// A file of an installation, or of the build tree: `name` is relative to the folder of the
/// program's folder. Empty if there is none.
std::string findBesideProgram(llvm::StringRef name);

/// True if --emit is what programs are made of; otherwise an error has been printed.
bool checkProgramKind(const CompileOptions &options, llvm::StringRef command);

} // namespace thimble::driver
