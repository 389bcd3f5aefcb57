// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/m4/M4Ops.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace thimble::m4;

#include "dialects/m4/M4Dialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/m4/M4Ops.cpp.inc"

void M4Dialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/m4/M4Ops.cpp.inc"
      >();
}

template <typename Op> using RuntimeFunctionOf = decltype(Op::getRuntimeFunction());

template <typename... Ops> static llvm::StringRef runtimeFunctionAmong(Operation *op) {
  llvm::StringRef name;
  auto ask = [&](auto candidate) {
    using Op = decltype(candidate);
    if constexpr (llvm::is_detected<RuntimeFunctionOf, Op>::value)
      if (isa<Op>(op))
        name = Op::getRuntimeFunction();
  };
  (ask(Ops()), ...);
  return name;
}

llvm::StringRef thimble::m4::runtimeFunction(Operation *op) {
  return runtimeFunctionAmong<
#define GET_OP_LIST
#include "dialects/m4/M4Ops.cpp.inc"
      >(op);
}
