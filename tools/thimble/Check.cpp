// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Commands.h"
#include "tools/thimble/Session.h"

#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

ExitStatus driver::runCheck(const Invocation &invocation) {
  auto bytes = readFile(invocation.models.front());
  if (!bytes)
    return failure;
  Session session;
  CompileOptions options = invocation.compile;
  options.lastPhase = Phase::Candidates;
  auto module = importModel(*bytes, session.context, options);
  if (module && succeeded(runPhases(*module, options))) {
    llvm::outs() << invocation.models.front() << ": can be compiled\n";
    return success;
  }
  for (const std::string &error : session.diagnostics.errors())
    printError(error);
  return failure;
}
