// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/NNOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace thimble::nn;

#include "dialects/nn/NNInterfaces.cpp.inc"
#include "dialects/nn/NNOpsDialect.cpp.inc"
#include "dialects/nn/NNOpsEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/nn/NNOpsAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/nn/NNOps.cpp.inc"

void NNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/nn/NNOpsAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/nn/NNOps.cpp.inc"
      >();
}

Operation *NNDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                          Location loc) {
  auto elements = llvm::dyn_cast<ElementsAttr>(value);
  if (!elements || !llvm::isa<RankedTensorType>(type))
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}
