// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// One function a command, one file a function.
#pragma once

#include "tools/thimble/Options.h"

#include <cstdint>
#include <optional>

namespace thimble::driver {

ExitStatus runCompile(const Invocation &invocation);
ExitStatus runCheck(const Invocation &invocation);
ExitStatus runRun(const Invocation &invocation);
ExitStatus runVerify(const Invocation &invocation);
ExitStatus runBench(const Invocation &invocation);
ExitStatus runReport(const Invocation &invocation);

/// The bytes of a file; prints an error if it cannot be read.
std::optional<std::vector<uint8_t>> readFile(const std::string &path);

} // namespace thimble::driver
