// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Pointwise.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

namespace thimble {
#define GEN_PASS_DEF_MERGELOOKUPS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

static bool isByte(Value value) {
  ElementType element = nn::toTensorType(value.getType())->element;
  return element == ElementType::Int8 || element == ElementType::UInt8;
}

/// Whether elements of `value` can index a table.
static bool isIndex(Value value) {
  return isByte(value) && isa<quant::UniformQuantizedType>(getElementTypeOrSelf(value.getType()));
}

namespace {

/// Operators that compute the result of the first of them from `root` alone. In reverse program
/// order.
struct Cluster {
  SmallVector<Operation *> members;
  Value root;
};

/// Arithmetic on so many bytes that a table is worth its flash.
bool isDear(Operation *op) {
  constexpr int64_t least = 64;
  return isa<nn::BinaryElementwise, nn::QuantizeOp>(op) &&
         nn::toTensorType(op->getResult(0).getType())->elements() >= least;
}

/// Grows a cluster from `last` backwards: always the latest producer next, since nothing in the
/// cluster can then depend on what is not in it. Intermediate results may have no other use, or
/// nothing would be saved. The largest cluster with one root of bytes is the answer; it is empty if
/// there is none of two operators or more, or one that takes more than a lookup.
Cluster growFrom(Operation *last) {
  Cluster best;
  SmallVector<Operation *> members;
  llvm::SmallSetVector<Value, 4> frontier;
  auto include = [&](Operation *op) {
    members.push_back(op);
    for (Value operand : varyingOperands(op))
      frontier.insert(operand);
  };
  auto canInclude = [&](Operation *op) {
    return op && op->getBlock() == last->getBlock() && isPointwise(op) &&
           !varyingOperands(op).empty() && llvm::all_of(op->getUsers(), [&](Operation *user) {
             return llvm::is_contained(members, user);
           });
  };
  include(last);
  while (true) {
    if ((members.size() >= 2 || isDear(last)) && frontier.size() == 1 && isIndex(frontier.front()))
      best = {members, frontier.front()};
    Operation *next = nullptr;
    for (Value value : frontier)
      if (Operation *producer = value.getDefiningOp(); canInclude(producer))
        if (!next || next->isBeforeInBlock(producer))
          next = producer;
    if (!next)
      return best;
    frontier.remove(next->getResult(0));
    include(next);
  }
}

struct MergeLookupsPass : thimble::impl::MergeLookupsBase<MergeLookupsPass> {
  // Backwards, so that a chain is found from its end.
  void runOnOperation() override {
    for (Block &block : getOperation().getBody())
      for (Operation *op = block.empty() ? nullptr : &block.back(); op;) {
        Operation *merged = merge(op);
        op = (merged ? merged : op)->getPrevNode();
      }
  }

  /// The lookup that took the place of the operators that end with `last`, if one did.
  static Operation *merge(Operation *last) {
    if (!isPointwise(last) || varyingOperands(last).empty() || !isByte(last->getResult(0)))
      return nullptr;
    Cluster cluster = growFrom(last);
    if (cluster.members.empty())
      return nullptr;
    Samples samples;
    samples.insert({cluster.root, allValues(*nn::toTensorType(cluster.root.getType()))});
    for (Operation *op : llvm::reverse(cluster.members)) {
      FailureOr<Tensor> result = evaluatePointwise(cast<nn::NNOperator>(op), samples);
      if (failed(result))
        return nullptr;
      samples.insert({op->getResult(0), std::move(*result)});
    }

    OpBuilder builder(last);
    auto type = cast<RankedTensorType>(last->getResult(0).getType());
    const Tensor &table = samples.at(last->getResult(0));
    auto tableType =
        RankedTensorType::get({table.elements()}, nn::storageType(type).getElementType());
    auto bytes = ArrayRef(reinterpret_cast<const char *>(table.data.data()), table.data.size());
    auto lookup = nn::LookupOp::create(builder, last->getLoc(), type, cluster.root,
                                       DenseElementsAttr::getFromRawBuffer(tableType, bytes));
    remark::passed(last->getLoc(), remark::RemarkOpts::name("Merge").category("simplify"))
        << remark::reason("{0} elementwise operators become one lookup", cluster.members.size());
    last->getResult(0).replaceAllUsesWith(lookup);
    for (Operation *op : cluster.members)
      op->erase();
    return lookup;
  }
};

} // namespace
