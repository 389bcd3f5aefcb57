// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Kernel.h"

#include "dialects/nn/NNTypes.h"
#include "passes/kernels/Families.h"

using namespace mlir;
using namespace thimble;

Buffer thimble::bufferOf(KernelBuilder &b, const KernelOperand &operand, StringRef tableName) {
  return operand.constant ? b.table(tableName, *operand.constant) : operand.buffer;
}

KernelQuery thimble::queryFor(nn::NNOperator op, const Target &target) {
  KernelQuery query{op, {}, {}, {}, target};
  for (Value input : op->getOperands()) {
    query.inputs.push_back(*nn::toTensorType(input.getType()));
    auto constant = input.getDefiningOp<nn::ConstantOp>();
    query.constants.push_back(
        constant ? std::make_shared<Tensor>(*nn::toTensor(constant.getValue(), input.getType()))
                 : nullptr);
  }
  for (Value output : op->getResults())
    query.outputs.push_back(*nn::toTensorType(output.getType()));
  return query;
}

static const KernelList &ownedTable() {
  static const KernelList table = [] {
    KernelList list;
    addPatchConvolutionKernels(list);
    addWinogradKernels(list);
    addGatherConvolutionKernels(list);
    addCompactConvolutionKernels(list);
    addDepthwiseStripKernels(list);
    addDepthwiseDirectKernels(list);
    addDepthwiseInRegistersKernels(list);
    addDepthwiseWindowKernels(list);
    addDepthwiseTapsKernels(list);
    addAsmFullyConnectedKernels(list);
    addAsmAddKernels(list);
    addAsmMulKernels(list);
    addAsmInt16Kernels(list);
    addAsmInt16DepthwiseKernels(list);
    addAsmPoolKernels(list);
    addAsmMeanKernels(list);
    addAsmLookupKernels(list);
    addDspConvolutionKernels(list);
    addDspDepthwiseKernels(list);
    addDspAddKernels(list);
    addDspPoolKernels(list);
    addConvolutionKernels(list);
    addMatMulKernels(list);
    addPoolKernels(list);
    addNormalizationKernels(list);
    addUnaryKernels(list);
    addBinaryKernels(list);
    addSelectionKernels(list);
    addConversionKernels(list);
    addMovementKernels(list);
    addIndexingKernels(list);
    addReductionKernels(list);
    addResizeKernels(list);
    return list;
  }();
  return table;
}

ArrayRef<const Kernel *> thimble::kernelTable() {
  static const std::vector<const Kernel *> table = [] {
    std::vector<const Kernel *> pointers;
    for (const auto &kernel : ownedTable())
      pointers.push_back(kernel.get());
    return pointers;
  }();
  return table;
}

const Kernel *thimble::findKernel(StringRef name) {
  for (const Kernel *kernel : kernelTable())
    if (kernel->getName() == name)
      return kernel;
  return nullptr;
}

/// Functions that are called in turn stay in the cache only together.
static int64_t flashWaits(const Candidate &candidate, const Flash &flash) {
  int64_t codeBytes = 0, waits = 0;
  for (const SharedCode &code : candidate.sharedCode)
    codeBytes += code.bytes;
  for (const Candidate::Calls &calls : candidate.calls) {
    m4::Cost once = calls.once;
    once.codeBytes = codeBytes;
    waits += (once * calls.times).flashWaits(flash);
  }
  return waits;
}

std::optional<Candidate> Kernel::proposeOnTarget(const KernelQuery &query) const {
  std::optional<Candidate> candidate = propose(query);
  if (candidate) {
    candidate->kernel = this;
    candidate->cycles += flashWaits(*candidate, query.target.flash);
  }
  return candidate;
}

SmallVector<Candidate> thimble::candidatesFor(nn::NNOperator op, const Target &target,
                                              bool eachRow) {
  KernelQuery query = queryFor(op, target);
  SmallVector<Candidate> candidates;
  for (const Kernel *kernel : kernelTable())
    if (std::optional<Candidate> candidate = kernel->proposeOnTarget(query);
        candidate && candidate->eachRow == eachRow)
      candidates.push_back(std::move(*candidate));
  llvm::stable_sort(candidates,
                    [](const Candidate &a, const Candidate &b) { return a.cycles < b.cycles; });
  return candidates;
}
