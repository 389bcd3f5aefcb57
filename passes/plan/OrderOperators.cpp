// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Aliases.h"
#include "passes/analysis/OperatorOrder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallVectorExtras.h"

#include <limits>
#include <numeric>

namespace thimble {
#define GEN_PASS_DEF_ORDEROPERATORS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

/// When an operator can have its result in place of an operand.
enum class InPlace {
  WithAllKernels, // whichever is chosen
  WithSomeKernel
};

/// The operators of a function that have something to do, as a problem of order.
class Network {
public:
  explicit Network(func::FuncOp function, InPlace inPlace = InPlace::WithAllKernels)
      : aliases(function), block(function.getBody().front()), inPlace(inPlace) {
    for (BlockArgument argument : block.getArguments())
      problem.buffers[bufferOf(argument)].isInput = true;
    for (Value result : block.getTerminator()->getOperands())
      if (hasBuffer(result))
        problem.buffers[bufferOf(result)].isOutput = true;
    for (Operation &op : block)
      if (isa<nn::NNOperator>(op))
        add(&op);
  }

  const OrderProblem &getProblem() const { return problem; }
  /// Whether the problem is the same with all kernels as with some.
  bool doKernelsAgree() const { return kernelsAgree; }

  /// Puts the operators into `order`, each with what moves nothing right before its first reader.
  void reorder(ArrayRef<size_t> order) {
    SmallVector<Operation *> all =
        llvm::map_to_vector(block.without_terminator(), [](Operation &op) { return &op; });
    for (size_t number : order)
      moveToEnd(operators[number]);
    // What moves nothing and has no reader.
    for (Operation *op : all)
      moveToEnd(op);
  }

private:
  using Numbers = llvm::SmallSetVector<size_t, 4>;

  static bool hasBuffer(Value tensor) { return !tensor.getDefiningOp<nn::ConstantOp>(); }

  size_t bufferOf(Value tensor) {
    Value root = aliases.rootOf(tensor);
    auto [entry, isNew] = buffers.try_emplace(root, problem.buffers.size());
    if (isNew)
      problem.buffers.push_back(
          {static_cast<int64_t>(nn::toTensorType(root.getType())->bytes()), false, false});
    return entry->second;
  }

  void add(Operation *op) {
    Numbers after, touches;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        after.insert_range(producers.lookup(source));
    if (aliases.movesNothing(op)) {
      producers[op] = after;
      return;
    }
    producers[op].insert(operators.size());
    operators.push_back(op);
    for (ValueRange tensors : {ValueRange(op->getOperands()), ValueRange(op->getResults())})
      for (Value tensor : tensors)
        if (hasBuffer(tensor))
          touches.insert(bufferOf(tensor));
    OrderOperator &entry = problem.operators.emplace_back();
    entry.after.assign(after.begin(), after.end());
    entry.touches.assign(touches.begin(), touches.end());
    addCandidates(op, entry);
  }

  /// What candidates allow and one of them needs at least: kernels are chosen later.
  void addCandidates(Operation *op, OrderOperator &entry) {
    auto candidates = op->getAttrOfType<ArrayAttr>("mcu.candidates");
    if (!candidates || candidates.empty())
      return;
    SmallVector<size_t> allowing(op->getNumOperands());
    entry.workBytes = std::numeric_limits<int64_t>::max();
    for (DictionaryAttr candidate : candidates.getAsRange<DictionaryAttr>()) {
      entry.workBytes = std::min(entry.workBytes, candidate.getAs<IntegerAttr>("scratch").getInt());
      if (auto positions = candidate.getAs<DenseI64ArrayAttr>("inPlace"))
        for (int64_t position : positions.asArrayRef())
          ++allowing[static_cast<size_t>(position)];
    }
    const size_t kernels = inPlace == InPlace::WithAllKernels ? candidates.size() : 1;
    for (unsigned position = 0; position < op->getNumOperands(); ++position) {
      kernelsAgree &= allowing[position] == 0 || allowing[position] == candidates.size();
      if (allowing[position] < kernels || !aliases.canTakeOver(op, position))
        continue;
      size_t buffer = bufferOf(op->getOperand(position));
      if (!problem.buffers[buffer].isOutput)
        entry.inPlace.push_back(buffer);
    }
  }

  void moveToEnd(Operation *op) {
    if (isa<nn::ConstantOp>(op) || !moved.insert(op).second)
      return;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        moveToEnd(source);
    op->moveBefore(block.getTerminator());
  }

  Aliases aliases;
  Block &block;
  InPlace inPlace;
  bool kernelsAgree = true;
  OrderProblem problem;
  SmallVector<Operation *> operators;
  llvm::DenseMap<Value, size_t> buffers; // by root
  /// The operators that compute what an operator gives.
  llvm::DenseMap<Operation *, Numbers> producers;
  llvm::SmallPtrSet<Operation *, 16> moved;
};

struct OrderOperatorsPass : thimble::impl::OrderOperatorsBase<OrderOperatorsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!llvm::all_of(function.getBody().front().without_terminator(),
                      [](Operation &op) { return isPure(&op); }))
      return;
    Network network(function);
    const OrderProblem &problem = network.getProblem();
    std::vector<size_t> given(problem.operators.size());
    std::iota(given.begin(), given.end(), size_t(0));
    const int64_t before = peakOf(problem, given);
    const OperatorOrder best = findOrder(problem);
    const int64_t bound =
        network.doKernelsAgree()
            ? best.lowerBound
            : findOrder(Network(function, InPlace::WithSomeKernel).getProblem()).lowerBound;
    function->setAttr("mcu.operator_bound", Builder(function).getI64IntegerAttr(bound));
    if (best.peak == before)
      return;
    network.reorder(best.order);
    remark::passed(function.getLoc(), remark::RemarkOpts::name("Order").category("memory"))
        << remark::reason("operators reordered: {0} bytes live at most instead of {1}{2}",
                          best.peak, before, best.isOptimal() ? ", no order needs less" : "");
  }
};

} // namespace
