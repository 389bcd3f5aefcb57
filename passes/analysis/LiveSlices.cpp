// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/LiveSlices.h"

#include "passes/analysis/MacLayer.h"
#include "passes/analysis/Slices.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using llvm::BitVector;

namespace thimble {

static int64_t rankOf(Value value) { return static_cast<int64_t>(shapeOf(value).size()); }

/// Adds `more` to `set`; whether that made it grow.
static bool growBy(BitVector &set, const BitVector &more) {
  if (!more.test(set)) // nothing in `more` that is not in `set`
    return false;
  set |= more;
  return true;
}

/// Adds all indices before the last: what is cut off an axis whose order matters is its end.
static bool closePrefix(BitVector &set) {
  int last = set.find_last();
  if (last < 0 || set.find_first_unset_in(0, static_cast<unsigned>(last)) < 0)
    return false;
  set.set(0, static_cast<unsigned>(last) + 1);
  return true;
}

//===-- Sets --------------------------------------------------------------------------------===//

const BitVector &LiveSlices::live(Value tensor, int64_t axis) const {
  return sets.find(tensor)->second[static_cast<size_t>(axis)];
}
BitVector &LiveSlices::set(TensorAxis axis) {
  return sets.find(axis.tensor)->second[static_cast<size_t>(axis.axis)];
}
bool LiveSlices::isWhole(Value tensor) const {
  return llvm::all_of(sets.find(tensor)->second, [](const BitVector &set) { return set.all(); });
}
bool LiveSlices::isDead(Value tensor) const {
  return llvm::any_of(sets.find(tensor)->second, [](const BitVector &set) { return set.none(); });
}

void LiveSlices::keep(TensorAxis axis) { set(axis).set(); }
void LiveSlices::keep(Value tensor) {
  for (int64_t axis = 0; axis < rankOf(tensor); ++axis)
    keep({tensor, axis});
}

void LiveSlices::tie(TensorAxis whole, TensorAxis part, int64_t offset) {
  rules.push_back([=] {
    BitVector &a = set(whole), &b = set(part);
    bool grown = false;
    if (a.size() == b.size()) {
      grown = growBy(a, b);
      return growBy(b, a) || grown;
    }
    for (unsigned i = 0; i < b.size(); ++i) {
      unsigned at = i + static_cast<unsigned>(offset);
      grown |= a[at] != b[i];
      if (a[at] || b[i]) {
        a.set(at);
        b.set(i);
      }
    }
    return grown;
  });
}

BitVector LiveSlices::elementsOf(const Axes &axes) const {
  BitVector elements(1, true);
  for (TensorAxis axis : axes) {
    const BitVector &indices = live(axis.tensor, axis.axis);
    BitVector inner(elements.size() * indices.size());
    for (unsigned outer : elements.set_bits())
      for (unsigned i : indices.set_bits())
        inner.set(outer * indices.size() + i);
    elements = std::move(inner);
  }
  return elements;
}

void LiveSlices::tieElements(Axes a, Axes b) {
  rules.push_back([=] {
    auto isWhole = [&](TensorAxis axis) { return set(axis).all(); };
    if (llvm::all_of(a, isWhole) && llvm::all_of(b, isWhole))
      return false;
    BitVector elements = elementsOf(a);
    elements |= elementsOf(b);
    bool grown = false;
    for (const Axes *axes : {&a, &b}) {
      unsigned stride = 1;
      for (TensorAxis axis : llvm::reverse(*axes)) {
        BitVector &indices = set(axis), projection(indices.size());
        for (unsigned element : elements.set_bits())
          projection.set(element / stride % indices.size());
        stride *= indices.size();
        grown |= growBy(indices, projection);
      }
    }
    return grown;
  });
}

//===-- Operators with weights --------------------------------------------------------------===//

/// How windows lie over rows and columns.
struct LiveSlices::Window {
  ArrayRef<int64_t> filter, strides, dilations, pads;
};

/// Rows and columns of what a window slides over: up to the last that a live position covers.
void LiveSlices::addWindow(Operation *op, const Window &window) {
  Value in = op->getOperand(0), out = op->getResult(0);
  tie({in, 0}, {out, 0});
  for (int64_t i = 0; i < 2; ++i) {
    int64_t span = (window.filter[i] - 1) * window.dilations[i] + 1;
    int64_t stride = window.strides[i], before = window.pads[2 * i];
    rules.push_back([=] {
      BitVector &inputs = set({in, i + 1}), &outputs = set({out, i + 1});
      bool grown = closePrefix(outputs);
      int64_t end = outputs.find_last() * stride - before + span;
      BitVector covered(inputs.size());
      if (outputs.any() && end > 0)
        covered.set(0, static_cast<unsigned>(std::min<int64_t>(end, inputs.size())));
      grown |= growBy(inputs, covered);
      return closePrefix(inputs) || grown;
    });
  }
}

/// A live output needs the inputs that it has nonzero weights for.
void LiveSlices::addReads(Operation *op, TensorAxis outputs, TensorAxis inputs) {
  unsigned inputCount = set(inputs).size();
  std::vector<BitVector> reads(set(outputs).size(), BitVector(inputCount, true));
  if (std::optional<MacLayer> layer = MacLayer::of(op))
    for (int64_t o = 0; o < layer->channels(); ++o)
      for (unsigned d = 0; d < inputCount; ++d) {
        bool isRead = false;
        for (int64_t tap = 0; tap < layer->taps(); ++tap)
          isRead |= layer->weight(o, tap, d) != 0;
        reads[static_cast<size_t>(o)][d] = isRead;
      }
  rules.push_back([=, reads = std::move(reads)] {
    BitVector needed(inputCount);
    for (unsigned o : set(outputs).set_bits())
      needed |= reads[o];
    return growBy(set(inputs), needed);
  });
}

void LiveSlices::addConvolution(Operation *op) {
  Value in = op->getOperand(0), filter = op->getOperand(1), out = op->getResult(0);
  keep({filter, 1});
  keep({filter, 2});
  tie({out, 3}, {filter, 0});
  if (op->getNumOperands() > 2)
    tie({out, 3}, {op->getOperand(2), 0});
  if (shapeOf(in)[3] != shapeOf(filter)[3]) { // groups
    keep({in, 3});
    keep({out, 3});
    keep({filter, 3});
    return;
  }
  tie({in, 3}, {filter, 3});
  addReads(op, {out, 3}, {in, 3});
}

void LiveSlices::addDepthwise(Operation *op) {
  TensorAxis in = {op->getOperand(0), 3}, out = {op->getResult(0), 3};
  Value filter = op->getOperand(1);
  for (int64_t axis : {0, 1, 2})
    keep({filter, axis});
  tie(out, {filter, 3});
  if (op->getNumOperands() > 2)
    tie(out, {op->getOperand(2), 0});
  unsigned inputs = set(in).size(), multiplier = set(out).size() / inputs;
  if (inputs == 1)
    return keep(in);
  // Each input channel has as many output channels: all of them or none.
  rules.push_back([=] {
    bool grown = false;
    for (unsigned i = 0; i < inputs; ++i) {
      BitVector group(set(out).size());
      group.set(i * multiplier, (i + 1) * multiplier);
      if (set(in)[i] || group.anyCommon(set(out))) {
        grown |= !set(in)[i] || growBy(set(out), group);
        set(in).set(i);
      }
    }
    return grown;
  });
}

/// The input is read as rows of as many elements as the filter has columns.
void LiveSlices::addFullyConnected(Operation *op) {
  Value in = op->getOperand(0), filter = op->getOperand(1), out = op->getResult(0);
  TensorAxis outputs = {out, rankOf(out) - 1};
  tie(outputs, {filter, 0});
  if (op->getNumOperands() > 2)
    tie(outputs, {op->getOperand(2), 0});
  Axes elements, rows;
  for (int64_t axis = 0; axis < rankOf(in); ++axis)
    elements.push_back({in, axis});
  for (int64_t axis = 0; axis + 1 < rankOf(out); ++axis)
    rows.push_back({out, axis});
  rows.push_back({filter, 1});
  tieElements(elements, rows);
  addReads(op, outputs, {filter, 1});
}

//===-- Other operators ---------------------------------------------------------------------===//

/// Operands broadcast to the result: the axes that an operand does not repeat are the result's.
void LiveSlices::addElementwise(Operation *op) {
  Value out = op->getResult(0);
  for (Value operand : op->getOperands()) {
    int64_t missing = rankOf(out) - rankOf(operand);
    for (auto [i, size] : llvm::enumerate(shapeOf(operand))) {
      auto axis = static_cast<int64_t>(i);
      if (size == shapeOf(out)[i + static_cast<size_t>(missing)])
        tie({out, axis + missing}, {operand, axis});
      else
        keep({operand, axis});
    }
  }
}

void LiveSlices::addReduction(Operation *op) {
  Value in = op->getOperand(0), out = op->getResult(0);
  ArrayRef<int64_t> axes = op->getAttrOfType<DenseI64ArrayAttr>("axes").asArrayRef();
  bool keepsAxes = op->getAttrOfType<BoolAttr>("keepDims").getValue();
  int64_t at = 0;
  for (int64_t axis = 0; axis < rankOf(in); ++axis) {
    bool isReduced = llvm::is_contained(axes, axis);
    if (isReduced)
      keep({in, axis});
    else
      tie({in, axis}, {out, at});
    at += !isReduced || keepsAxes;
  }
  // Axes of one element, kept or written for a scalar.
  for (int64_t axis = 0; axis < rankOf(out); ++axis)
    if (shapeOf(out)[static_cast<size_t>(axis)] == 1)
      keep({out, axis});
}

/// `pieces` lie one behind the other along `axis` of `whole`.
void LiveSlices::addPieces(Value whole, ValueRange pieces, int64_t axis) {
  int64_t offset = 0;
  for (Value piece : pieces) {
    for (int64_t i = 0; i < rankOf(whole); ++i)
      tie({whole, i}, {piece, i}, i == axis ? offset : 0);
    offset += shapeOf(piece)[static_cast<size_t>(axis)];
  }
}

void LiveSlices::addSlice(Operation *op) {
  auto slice = cast<nn::SliceOp>(op);
  for (auto [axis, begin] : llvm::enumerate(slice.getBegin())) {
    auto i = static_cast<int64_t>(axis);
    tie({slice.getInput(), i}, {slice.getOutput(), i}, begin);
  }
}

void LiveSlices::addPad(Operation *op) {
  ArrayRef<int64_t> paddings = op->getAttrOfType<DenseI64ArrayAttr>("paddings").asArrayRef();
  Value in = op->getOperand(0), out = op->getResult(0);
  for (int64_t axis = 0; axis < rankOf(in); ++axis) {
    if (paddings[2 * axis] == 0 && paddings[2 * axis + 1] == 0) {
      tie({in, axis}, {out, axis});
    } else {
      keep({in, axis});
      keep({out, axis});
    }
  }
  for (Value value : op->getOperands().drop_front())
    keep(value);
}

static SmallVector<TensorAxis, 4> axesOf(Value tensor) {
  SmallVector<TensorAxis, 4> axes;
  for (int64_t axis = 0; axis < rankOf(tensor); ++axis)
    axes.push_back({tensor, axis});
  return axes;
}

void LiveSlices::addRules(Operation *op) {
  auto addSlidingWindow = [&](auto conv) {
    addWindow(conv, {shapeOf(conv.getFilter()).slice(1, 2), conv.getStrides(), conv.getDilations(),
                     conv.getPads()});
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](nn::Conv2DOp conv) {
        addSlidingWindow(conv);
        addConvolution(conv);
      })
      .Case([&](nn::DepthwiseConv2DOp conv) {
        addSlidingWindow(conv);
        addDepthwise(conv);
      })
      .Case([&](nn::TransposeConvOp conv) {
        tie({conv.getInput(), 0}, {conv.getOutput(), 0});
        for (Value picture : {conv.getInput(), conv.getOutput()})
          for (int64_t axis : {1, 2})
            keep({picture, axis});
        addConvolution(conv);
      })
      .Case([&](nn::FullyConnectedOp product) { addFullyConnected(product); })
      .Case<nn::AveragePool2DOp, nn::MaxPool2DOp, nn::L2Pool2DOp>([&](auto pool) {
        static constexpr int64_t dense[] = {1, 1};
        addWindow(pool, {pool.getFilter(), pool.getStrides(), dense, pool.getPads()});
        tie({pool.getInput(), 3}, {pool.getOutput(), 3});
      })
      .Case<nn::ResizeBilinearOp, nn::ResizeNearestNeighborOp>([&](auto resize) {
        for (int64_t axis : {0, 3})
          tie({resize.getInput(), axis}, {resize.getOutput(), axis});
        for (Value picture : {resize.getInput(), resize.getOutput()})
          for (int64_t axis : {1, 2})
            keep({picture, axis});
      })
      .Case<nn::UnaryElementwise, nn::BinaryElementwise, nn::SelectOp, nn::AddNOp, nn::QuantizeOp,
            nn::DequantizeOp, nn::CastOp, nn::LookupOp, nn::BroadcastToOp>(
          [&](auto) { addElementwise(op); })
      .Case<nn::Reduction>([&](auto) { addReduction(op); })
      .Case([&](nn::ReshapeOp reshape) {
        tieElements(axesOf(reshape.getInput()), axesOf(reshape.getOutput()));
      })
      .Case([&](nn::TransposeOp transpose) {
        for (auto [axis, from] : llvm::enumerate(transpose.getPermutation()))
          tie({transpose.getInput(), from}, {transpose.getOutput(), static_cast<int64_t>(axis)});
      })
      .Case([&](nn::ConcatenationOp concat) {
        addPieces(concat.getOutput(), concat.getInputs(), concat.getAxis());
      })
      .Case([&](nn::SplitOp split) {
        addPieces(split.getInput(), split.getOutputs(), split.getAxis());
      })
      .Case([&](nn::SliceOp slice) { addSlice(slice); })
      .Case([&](nn::PadOp pad) { addPad(pad); })
      .Case([](nn::ConstantOp) {})
      .Default([&](Operation *) {
        for (Value operand : op->getOperands())
          keep(operand);
        for (Value result : op->getResults())
          keep(result);
      });
}

//===-- The network -------------------------------------------------------------------------===//

LiveSlices::LiveSlices(func::FuncOp function) {
  Block &block = function.getBody().front();
  auto define = [&](Value tensor) {
    for (int64_t size : shapeOf(tensor))
      sets[tensor].emplace_back(static_cast<unsigned>(size));
    sets.try_emplace(tensor);
  };
  for (Value argument : block.getArguments()) {
    define(argument);
    keep(argument);
  }
  for (Operation &op : block)
    for (Value result : op.getResults())
      define(result);
  for (Operation &op : block)
    addRules(&op);
  bool filled = true;
  while (filled) {
    grow();
    filled = false;
    for (Operation &op : llvm::reverse(block))
      filled |= fillEmpty(&op);
  }
  rules.clear();
}

/// Needs are found backwards, what is tied forwards too.
void LiveSlices::grow() {
  bool grown = true;
  while (grown) {
    grown = false;
    for (auto &rule : llvm::reverse(rules))
      grown |= rule();
    for (auto &rule : rules)
      grown |= rule();
  }
}

/// A tensor cannot be empty: gives each result of `op` a slice that some operator has to have
/// although it reads nothing of it. Whether there was one.
bool LiveSlices::fillEmpty(Operation *op) {
  auto isNeeded = [&](OpOperand &use) {
    return !isa<nn::ConcatenationOp>(use.getOwner()) &&
           !llvm::all_of(use.getOwner()->getResults(), [&](Value v) { return isDead(v); });
  };
  bool hasLiveResult = !llvm::all_of(op->getResults(), [&](Value v) { return isDead(v); });
  bool filled = false;
  for (Value result : op->getResults()) {
    if (!hasLiveResult && llvm::none_of(result.getUses(), isNeeded))
      continue;
    for (BitVector &set : sets.find(result)->second)
      if (set.none()) {
        set.set(0);
        filled = true;
      }
  }
  return filled;
}

} // namespace thimble
