// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "targets/Target.h"

using namespace thimble;

static std::vector<Target> makeTargets() {
  Target m4;
  m4.name = m4.core = "cortex-m4";
  m4.dsp = m4.fpu = true;
  Target generic;
  generic.name = generic.core = "generic";
  return {m4, generic};
}

static const std::vector<Target> &allTargets() {
  static const std::vector<Target> targets = makeTargets();
  return targets;
}

const Target *thimble::findTarget(llvm::StringRef name) {
  for (const Target &target : allTargets())
    if (target.name == name)
      return &target;
  return nullptr;
}

std::vector<std::string> thimble::targetNames() {
  std::vector<std::string> names;
  for (const Target &target : allTargets())
    names.push_back(target.name);
  return names;
}
