// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/Passes.h"
#include "passes/kernels/Kernel.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"

namespace thimble {
#define GEN_PASS_DEF_LISTCANDIDATES
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

struct ListCandidatesPass : thimble::impl::ListCandidatesBase<ListCandidatesPass> {
  using ListCandidatesBase::ListCandidatesBase;

  void runOnOperation() override {
    const Target *known = findTarget(target);
    if (!known) {
      getOperation().emitError("unknown target '")
          << target << "', known are " << llvm::join(targetNames(), ", ");
      return signalPassFailure();
    }
    for (const std::string &name : prefer)
      if (!findKernel(name)) {
        getOperation().emitError("unknown kernel '") << name << "'";
        return signalPassFailure();
      }
    getOperation().walk([&](nn::NNOperator op) {
      if (failed(annotate(op, *known)))
        signalPassFailure();
    });
  }

  /// Of all candidates the preferred one, if there is one.
  SmallVector<Candidate> candidates(nn::NNOperator op, const Target &target) {
    SmallVector<Candidate> all = candidatesFor(op, target);
    for (const std::string &name : prefer)
      for (Candidate &c : all)
        if (c.kernel->getName() == name)
          return {std::move(c)};
    return all;
  }

  static DictionaryAttr entryOf(const Candidate &c, OpBuilder &builder) {
    NamedAttrList entry;
    entry.set("kernel", builder.getStringAttr(c.kernel->getName()));
    entry.set("cycles", builder.getI64IntegerAttr(c.cycles));
    entry.set("flash", builder.getI64IntegerAttr(c.flashBytes));
    entry.set("scratch", builder.getI64IntegerAttr(c.scratchBytes()));
    if (!c.inPlaceInputs.empty())
      entry.set("inPlace", builder.getDenseI64ArrayAttr(SmallVector<int64_t>(
                               c.inPlaceInputs.begin(), c.inPlaceInputs.end())));
    return entry.getDictionary(builder.getContext());
  }

  LogicalResult annotate(nn::NNOperator op, const Target &target) {
    OpBuilder builder(op);
    SmallVector<Attribute> entries;
    for (const Candidate &c : candidates(op, target))
      entries.push_back(entryOf(c, builder));
    if (entries.empty())
      return op.emitError("no kernel computes '") << op->getName() << "' with these operand types";
    op->setAttr("mcu.candidates", builder.getArrayAttr(entries));
    return success();
  }
};

} // namespace
