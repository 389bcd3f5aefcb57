// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Shape inference of operators that move or pick elements.

#include "dialects/nn/NNShapeChecks.h"

using namespace mlir;
using namespace thimble::nn::detail;

namespace thimble::nn {

using ShapeList = llvm::SmallVectorImpl<llvm::SmallVector<int64_t>>;
using Shape64 = llvm::SmallVector<int64_t>;

static int64_t rankOf(Value value) { return static_cast<int64_t>(shapeOf(value).size()); }

// `values` holds non-negative [before, after] pairs, one for each of `count` axes.
static LogicalResult checkPairs(Operation *op, llvm::StringRef name, llvm::ArrayRef<int64_t> values,
                                int64_t count) {
  return checkEntries(op, name, values, 2 * count, 0);
}

//===-- Movement ----------------------------------------------------------------------------===//

LogicalResult ReshapeOp::inferShapes(ShapeList &shapes) {
  if (elementsOf(getInput()) != elementsOf(getOutput()))
    return emitOpError() << "expects as many elements in the result as in the input, got "
                         << elementsOf(getOutput()) << " and " << elementsOf(getInput());
  shapes.emplace_back(shapeOf(getOutput()));
  return success();
}

LogicalResult TransposeOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), permutation = getPermutation();
  if (permutation.size() != input.size())
    return emitOpError() << "expects a permutation of " << input.size() << " axes, got "
                         << permutation.size();
  if (failed(checkAxes(*this, "permutation", permutation, rankOf(getInput()))))
    return failure();
  Shape64 &shape = shapes.emplace_back();
  for (int64_t axis : permutation)
    shape.push_back(input[axis]);
  return success();
}

LogicalResult SliceOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  int64_t rank = rankOf(getInput());
  if (failed(checkEntries(*this, "begin", getBegin(), rank, 0)) ||
      failed(checkEntries(*this, "size", getSize(), rank, 1)))
    return failure();
  for (auto [begin, size, dim] : llvm::zip_equal(getBegin(), getSize(), input))
    if (begin + size > dim)
      return emitOpError() << "expects a slice within the " << dim << " elements of an axis, got ["
                           << begin << ", " << begin + size << ")";
  shapes.emplace_back(getSize());
  return success();
}

LogicalResult StridedSliceOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), output = shapeOf(getOutput());
  int64_t rank = rankOf(getInput());
  if (failed(checkEntries(*this, "begin", getBegin(), rank, 0)) ||
      failed(checkEntries(*this, "size", getSize(), rank, 1)) ||
      failed(checkEntries(*this, "strides", getStrides(), rank, -largest)))
    return failure();
  for (auto [begin, size, stride, dim] :
       llvm::zip_equal(getBegin(), getSize(), getStrides(), input)) {
    if (stride == 0)
      return emitOpError("expects strides other than 0");
    int64_t last = begin + (size - 1) * stride;
    if (begin >= dim || last < 0 || last >= dim)
      return emitOpError() << "expects a slice within the " << dim
                           << " elements of an axis, got elements " << begin << " to " << last;
  }
  // Axes of size 1 come and go freely.
  auto withoutOnes = [](llvm::ArrayRef<int64_t> shape) {
    Shape64 result;
    llvm::copy_if(shape, std::back_inserter(result), [](int64_t dim) { return dim != 1; });
    return result;
  };
  bool fits = withoutOnes(output) == withoutOnes(getSize());
  shapes.emplace_back(fits ? output : getSize());
  return success();
}

// Shapes that agree in all but one axis, which is summed.
LogicalResult ConcatenationOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> first = shapeOf(getInputs().front());
  int64_t axis = getAxis();
  if (failed(checkAxis(*this, axis, static_cast<int64_t>(first.size()))))
    return failure();
  Shape64 shape(first);
  shape[axis] = 0;
  for (Value input : getInputs()) {
    Shape64 other(shapeOf(input));
    if (other.size() != first.size())
      return emitOpError("expects inputs of one rank, got ") << getInputs().getTypes();
    shape[axis] += other[axis];
    other[axis] = first[axis];
    if (llvm::ArrayRef(other) != first)
      return emitOpError() << "expects inputs that differ along axis " << axis << " only, got "
                           << getInputs().getTypes();
  }
  if (failed(checkExtent(*this, shape[axis])))
    return failure();
  shapes.push_back(std::move(shape));
  return success();
}

LogicalResult SplitOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  int64_t axis = getAxis(), sum = 0;
  if (failed(checkAxis(*this, axis, rankOf(getInput()))))
    return failure();
  for (Value output : getOutputs()) {
    if (rankOf(output) != rankOf(getInput()))
      return emitOpError("expects results of the input's rank, got ") << output.getType();
    Shape64 &shape = shapes.emplace_back(input);
    shape[axis] = shapeOf(output)[axis];
    sum += shape[axis];
  }
  if (sum != input[axis])
    return emitOpError() << "expects results that make up the " << input[axis]
                         << " elements of axis " << axis << ", got " << sum;
  return success();
}

LogicalResult PackOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> first = shapeOf(getInputs().front());
  if (failed(checkAxis(*this, getAxis(), static_cast<int64_t>(first.size()) + 1)))
    return failure();
  for (Value input : getInputs())
    if (shapeOf(input) != first)
      return emitOpError("expects inputs of one shape, got ") << getInputs().getTypes();
  Shape64 &shape = shapes.emplace_back(first);
  shape.insert(shape.begin() + getAxis(), static_cast<int64_t>(getInputs().size()));
  return success();
}

LogicalResult UnpackOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  if (failed(checkAxis(*this, getAxis(), rankOf(getInput()))))
    return failure();
  if (input[getAxis()] != static_cast<int64_t>(getNumResults()))
    return emitOpError() << "expects " << input[getAxis()] << " results, one an index of axis "
                         << getAxis() << ", got " << getNumResults();
  Shape64 shape(input);
  shape.erase(shape.begin() + getAxis());
  shapes.assign(getNumResults(), shape);
  return success();
}

static LogicalResult paddedShape(Operation *op, llvm::ArrayRef<int64_t> input,
                                 llvm::ArrayRef<int64_t> paddings, ShapeList &shapes) {
  if (failed(checkPairs(op, "paddings", paddings, static_cast<int64_t>(input.size()))))
    return failure();
  Shape64 &shape = shapes.emplace_back(input);
  for (auto [axis, dim] : llvm::enumerate(shape)) {
    dim += paddings[2 * axis] + paddings[2 * axis + 1];
    if (failed(checkExtent(op, dim)))
      return failure();
  }
  return success();
}

LogicalResult PadOp::inferShapes(ShapeList &shapes) {
  if (getValue() && elementsOf(getValue()) != 1)
    return emitOpError() << "expects a value of one element, got " << elementsOf(getValue());
  return paddedShape(*this, shapeOf(getInput()), getPaddings(), shapes);
}

LogicalResult MirrorPadOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  if (failed(paddedShape(*this, input, getPaddings(), shapes)))
    return failure();
  int64_t edge = getMode() == MirrorMode::Reflect ? 1 : 0;
  for (auto [i, padding] : llvm::enumerate(getPaddings()))
    if (padding > input[i / 2] - edge)
      return emitOpError() << "expects paddings in [0, " << input[i / 2] - edge << "] of axis "
                           << i / 2 << ", got " << padding;
  return success();
}

LogicalResult TileOp::inferShapes(ShapeList &shapes) {
  if (failed(checkEntries(*this, "multiples", getMultiples(), rankOf(getInput()), 1)))
    return failure();
  Shape64 &shape = shapes.emplace_back(shapeOf(getInput()));
  for (auto [dim, multiple] : llvm::zip_equal(shape, getMultiples()))
    if (failed(checkExtent(*this, dim *= multiple)))
      return failure();
  return success();
}

LogicalResult BroadcastToOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), output = shapeOf(getOutput());
  bool fits = input.size() <= output.size();
  for (size_t i = 0; fits && i < input.size(); ++i) {
    int64_t from = input[input.size() - 1 - i], to = output[output.size() - 1 - i];
    fits = from == to || from == 1;
  }
  if (!fits)
    return emitOpError("expects an input whose dimensions are 1 or the result's, got ")
           << getInput().getType() << " and " << getOutput().getType();
  shapes.emplace_back(output);
  return success();
}

LogicalResult ReverseOp::inferShapes(ShapeList &shapes) {
  if (failed(checkAxes(*this, "axes", getAxes(), rankOf(getInput()))))
    return failure();
  return sameShape(*this, shapes);
}

// block in [1, 2^15): its square is an int.
static LogicalResult checkBlock(Operation *op, Value input, int64_t block) {
  if (failed(checkRank(op, "an input", input, 4)))
    return failure();
  if (block < 1 || block > 32767)
    return op->emitOpError() << "expects blockSize in [1, 32767], got " << block;
  return success();
}

LogicalResult SpaceToDepthOp::inferShapes(ShapeList &shapes) {
  int64_t block = getBlockSize();
  if (failed(checkBlock(*this, getInput(), block)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  if (input[1] % block != 0 || input[2] % block != 0)
    return emitOpError() << "expects height and width that are multiples of " << block << ", got "
                         << input[1] << " and " << input[2];
  shapes.push_back({input[0], input[1] / block, input[2] / block, input[3] * block * block});
  return success();
}

LogicalResult DepthToSpaceOp::inferShapes(ShapeList &shapes) {
  int64_t block = getBlockSize();
  if (failed(checkBlock(*this, getInput(), block)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(getInput());
  if (input[3] % (block * block) != 0)
    return emitOpError() << "expects channels that are a multiple of " << block * block << ", got "
                         << input[3];
  shapes.push_back({input[0], input[1] * block, input[2] * block, input[3] / (block * block)});
  return success();
}

// Blocks of the axes after the batch; their product is at most `largest`.
static FailureOr<int64_t> checkBlockShape(Operation *op, Value input,
                                          llvm::ArrayRef<int64_t> blocks) {
  int64_t count = static_cast<int64_t>(blocks.size());
  if (rankOf(input) < 2)
    return op->emitOpError() << "expects an input of rank 2 or more, got " << rankOf(input);
  if (count < 1 || count >= rankOf(input))
    return op->emitOpError() << "expects blockShape of 1 to " << rankOf(input) - 1
                             << " entries, got " << count;
  if (failed(checkEntries(op, "blockShape", blocks, count, 1)))
    return failure();
  int64_t product = 1;
  for (int64_t block : blocks)
    if (failed(checkExtent(op, product *= block)))
      return failure();
  return product;
}

LogicalResult SpaceToBatchNDOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> blocks = getBlockShape(), paddings = getPaddings();
  FailureOr<int64_t> product = checkBlockShape(*this, getInput(), blocks);
  if (failed(product) ||
      failed(checkPairs(*this, "paddings", paddings, static_cast<int64_t>(blocks.size()))))
    return failure();
  Shape64 &shape = shapes.emplace_back(shapeOf(getInput()));
  shape[0] *= *product;
  for (auto [i, block] : llvm::enumerate(blocks)) {
    int64_t padded = shape[i + 1] + paddings[2 * i] + paddings[2 * i + 1];
    if (failed(checkExtent(*this, padded)))
      return failure();
    if (padded % block != 0)
      return emitOpError() << "expects padded sizes that are multiples of the block " << block
                           << ", got " << padded;
    shape[i + 1] = padded / block;
  }
  return success();
}

LogicalResult BatchToSpaceNDOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> blocks = getBlockShape(), crops = getCrops();
  FailureOr<int64_t> product = checkBlockShape(*this, getInput(), blocks);
  if (failed(product) ||
      failed(checkPairs(*this, "crops", crops, static_cast<int64_t>(blocks.size()))))
    return failure();
  Shape64 &shape = shapes.emplace_back(shapeOf(getInput()));
  if (shape[0] % *product != 0)
    return emitOpError() << "expects a batch that is a multiple of " << *product << ", got "
                         << shape[0];
  shape[0] /= *product;
  for (auto [i, block] : llvm::enumerate(blocks)) {
    int64_t whole = shape[i + 1] * block;
    int64_t cropped = whole - crops[2 * i] - crops[2 * i + 1];
    if (cropped < 1)
      return emitOpError() << "expects crops that leave some of " << whole << " elements, got "
                           << crops[2 * i] << " and " << crops[2 * i + 1];
    shape[i + 1] = cropped;
  }
  return success();
}

//===-- Indexing ----------------------------------------------------------------------------===//

LogicalResult GatherOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), indices = shapeOf(getIndices());
  int64_t axis = getAxis(), batch = getBatchDims();
  if (failed(checkAxis(*this, axis, rankOf(getInput()))))
    return failure();
  int64_t most = std::min(axis, rankOf(getIndices()));
  if (batch < 0 || batch > most)
    return emitOpError() << "expects batchDims in [0, " << most << "], got " << batch;
  if (input.take_front(batch) != indices.take_front(batch))
    return emitOpError() << "expects input and indices alike in the first " << batch
                         << " dimensions, got " << getInput().getType() << " and "
                         << getIndices().getType();
  Shape64 &shape = shapes.emplace_back(input.take_front(axis));
  llvm::append_range(shape, indices.drop_front(batch));
  llvm::append_range(shape, input.drop_front(axis + 1));
  return success();
}

// Indices whose last dimension counts the axes they index.
static LogicalResult checkTuples(Operation *op, Value indices, int64_t rank) {
  llvm::ArrayRef<int64_t> shape = shapeOf(indices);
  if (!shape.empty() && shape.back() <= rank)
    return success();
  return op->emitOpError() << "expects indices whose last dimension is in [1, " << rank << "], got "
                           << indices.getType();
}

LogicalResult GatherNDOp::inferShapes(ShapeList &shapes) {
  if (failed(checkTuples(*this, getIndices(), rankOf(getInput()))))
    return failure();
  llvm::ArrayRef<int64_t> indices = shapeOf(getIndices());
  Shape64 &shape = shapes.emplace_back(indices.drop_back());
  llvm::append_range(shape, shapeOf(getInput()).drop_front(indices.back()));
  return success();
}

LogicalResult ScatterNDOp::inferShapes(ShapeList &shapes) {
  if (failed(checkTuples(*this, getIndices(), rankOf(getOutput()))))
    return failure();
  llvm::ArrayRef<int64_t> indices = shapeOf(getIndices()), output = shapeOf(getOutput());
  Shape64 updates(indices.drop_back());
  llvm::append_range(updates, output.drop_front(indices.back()));
  if (shapeOf(getUpdates()) != llvm::ArrayRef(updates))
    return emitOpError("expects updates of shape [")
           << llvm::ArrayRef(updates) << "], got " << getUpdates().getType();
  shapes.emplace_back(output);
  return success();
}

LogicalResult OneHotOp::inferShapes(ShapeList &shapes) {
  int64_t rank = rankOf(getIndices());
  if (failed(checkAxis(*this, getAxis(), rank + 1)) ||
      failed(checkRank(*this, "a result", getOutput(), rank + 1)))
    return failure();
  if (elementsOf(getOnValue()) != 1 || elementsOf(getOffValue()) != 1)
    return emitOpError("expects values of one element, got ")
           << getOnValue().getType() << " and " << getOffValue().getType();
  Shape64 &shape = shapes.emplace_back(shapeOf(getIndices()));
  shape.insert(shape.begin() + getAxis(), shapeOf(getOutput())[getAxis()]);
  return success();
}

LogicalResult FillOp::inferShapes(ShapeList &shapes) {
  if (elementsOf(getValue()) != 1)
    return emitOpError() << "expects a value of one element, got " << elementsOf(getValue());
  shapes.emplace_back(shapeOf(getOutput()));
  return success();
}

LogicalResult ShapeOp::inferShapes(ShapeList &shapes) {
  shapes.push_back({rankOf(getInput())});
  return success();
}

} // namespace thimble::nn
