// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// One kernel for every operator that only moves elements: fills, then runs its strided copies.
#include "passes/kernels/Copy.h"
#include "passes/kernels/Families.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// Copies that differ in numbers only run as one loop nest over a table of these numbers, if
/// there are more than this.
constexpr size_t mostUnrolledCopies = 3;

/// A strided copy whose numbers are known when the kernel runs.
struct CopyNest {
  Buffer in, out;
  SmallVector<Val> extents, inStrides, outStrides;

  void emit(KernelBuilder &b, Val inAt, Val outAt, size_t axis = 0) const {
    std::optional<int64_t> extent = extents[axis].constant();
    if (axis + 1 == extents.size() && extent && inStrides[axis].constant() == 1 &&
        outStrides[axis].constant() == 1)
      return copyRun(b, in, inAt, out, outAt, *extent);
    b.loop("i" + std::to_string(axis), b.index(0), extents[axis], 1, [&](Val i) {
      Val from = inAt + i * inStrides[axis], to = outAt + i * outStrides[axis];
      if (axis + 1 < extents.size())
        return emit(b, from, to, axis + 1);
      b.store(out, to, b.load(in, from));
    });
  }
};

/// The numbers of `copy`, with unit dimensions in front to make `rank`: offsets, then extent and
/// strides of each dimension.
std::vector<int32_t> numbersOf(const StridedCopy &copy, size_t rank) {
  std::vector<int64_t> numbers = {copy.inOffset, copy.outOffset};
  for (size_t d = copy.extents.size(); d < rank; ++d)
    numbers.insert(numbers.end(), {1, 0, 0});
  for (size_t d = 0; d < copy.extents.size(); ++d)
    numbers.insert(numbers.end(), {copy.extents[d], copy.inStrides[d], copy.outStrides[d]});
  return std::vector<int32_t>(numbers.begin(), numbers.end());
}

/// Copies between one pair of buffers: a loop over a table whose columns are the numbers in which
/// the copies differ.
void emitByTable(KernelBuilder &b, ArrayRef<StridedCopy> copies, Buffer in, Buffer out) {
  size_t rank = 0;
  for (const StridedCopy &copy : copies)
    rank = std::max(rank, copy.extents.size());
  std::vector<std::vector<int32_t>> rows;
  for (const StridedCopy &copy : copies)
    rows.push_back(numbersOf(copy, rank));

  size_t width = rows.front().size();
  // The strides of a dimension of 1 do not matter: they become those of the other copies.
  for (size_t extent = 2; extent < width; extent += 3) {
    auto model = llvm::find_if(rows, [&](const auto &row) { return row[extent] != 1; });
    for (std::vector<int32_t> &row : rows)
      if (row[extent] == 1 && model != rows.end())
        std::copy_n(model->begin() + static_cast<std::ptrdiff_t>(extent) + 1, 2,
                    row.begin() + static_cast<std::ptrdiff_t>(extent) + 1);
  }

  // Where each number is in a row of the table; -1 if it is the same in all copies.
  std::vector<int64_t> column(width, -1);
  int64_t columns = 0;
  for (size_t n = 0; n < width; ++n)
    if (llvm::any_of(rows, [&](const auto &row) { return row[n] != rows.front()[n]; }))
      column[n] = columns++;
  std::vector<int32_t> numbers;
  for (const std::vector<int32_t> &row : rows)
    for (size_t n = 0; n < width; ++n)
      if (column[n] >= 0)
        numbers.push_back(row[n]);
  Buffer table = b.table<int32_t>("copies", numbers);

  b.loop("copy", static_cast<int64_t>(rows.size()), [&](Val copy) {
    auto number = [&](size_t n, StringRef name) {
      if (column[n] < 0)
        return b.index(rows.front()[n]);
      return b.toIndex(b.load(table, copy * columns + column[n], name));
    };
    CopyNest nest{in, out, {}, {}, {}};
    Val from = number(0, "from"), to = number(1, "to");
    for (size_t d = 0; d < rank; ++d) {
      nest.extents.push_back(number(2 + 3 * d, "extent"));
      nest.inStrides.push_back(number(3 + 3 * d, "in_stride"));
      nest.outStrides.push_back(number(4 + 3 * d, "out_stride"));
    }
    nest.emit(b, from, to);
  });
}

void emitCopy(KernelBuilder &b, const StridedCopy &copy, Buffer in, Buffer out) {
  CopyNest nest{in, out, {}, {}, {}};
  for (size_t d = 0; d < copy.extents.size(); ++d) {
    nest.extents.push_back(b.index(copy.extents[d]));
    nest.inStrides.push_back(b.index(copy.inStrides[d]));
    nest.outStrides.push_back(b.index(copy.outStrides[d]));
  }
  nest.emit(b, b.index(copy.inOffset), b.index(copy.outOffset));
}

/// Whether the copies write every element of the result: they never write one twice.
bool covers(const nn::MovementPlan &plan, size_t output, const TensorType &type) {
  int64_t written = 0;
  for (const StridedCopy &copy : plan.copies)
    if (copy.output == static_cast<int>(output))
      written += copy.elements();
  return written == type.elements();
}

/// Loops over runs, and over words or elements in them.
double cyclesOf(const StridedCopy &copy, ElementType element) {
  const auto elements = static_cast<double>(copy.elements());
  constexpr double perElement = 7, perRun = 8;
  if (copy.extents.empty() || copy.inStrides.back() != 1 || copy.outStrides.back() != 1)
    return perElement * elements;
  const int64_t run = copy.extents.back(), perWord = 4 / static_cast<int64_t>(byteSize(element));
  double steps = static_cast<double>(run);
  if (perWord > 1 && run >= 2 * perWord)
    steps = static_cast<double>(run / perWord) + 0.5 * static_cast<double>(run % perWord);
  return elements / static_cast<double>(run) * (perRun + perElement * steps);
}

class PortableMovement : public Kernel {
public:
  StringRef getName() const override { return "movement.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    nn::NNOperator op = q.op;
    auto movement = dyn_cast<nn::DataMovement>(op.getOperation());
    if (!movement)
      return std::nullopt;
    Candidate c;
    const nn::MovementPlan plan = movement.getMovement();
    double cycles = 20;
    for (const StridedCopy &copy : plan.copies)
      cycles += cyclesOf(copy, q.outputs[0].element);
    constexpr double perFilledByte = 0.6;
    if (plan.fill != nn::MovementPlan::Fill::None)
      for (const TensorType &output : q.outputs)
        cycles += perFilledByte * static_cast<double>(output.bytes());
    c.cycles = static_cast<int64_t>(cycles);
    size_t copies = plan.copies.size();
    c.flashBytes = static_cast<int64_t>(copies > mostUnrolledCopies && q.outputs.size() == 1 &&
                                                q.inputs.size() == 1
                                            ? 100 + 16 * copies
                                            : 20 + 60 * copies);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    nn::MovementPlan plan = cast<nn::DataMovement>(op.getOperation()).getMovement();
    if (plan.fill != nn::MovementPlan::Fill::None)
      for (auto [position, output] : llvm::enumerate(operands.outputs)) {
        if (covers(plan, position, output.type))
          continue;
        Val value =
            plan.fill == nn::MovementPlan::Fill::Zero
                ? zeroOf(b, output.type)
                : scalarOf(b, operands.inputs[static_cast<size_t>(plan.fillOperand)], "value");
        fillRun(b, output.buffer, b.index(0), output.type.elements(), value);
      }

    ArrayRef<StridedCopy> rest = plan.copies;
    while (!rest.empty()) {
      // The longest list of copies between the same two buffers.
      size_t input = static_cast<size_t>(rest[0].input),
             output = static_cast<size_t>(rest[0].output);
      ArrayRef<StridedCopy> group = rest.take_while([&](const StridedCopy &copy) {
        return copy.input == rest[0].input && copy.output == rest[0].output;
      });
      Buffer in = bufferOf(b, operands.inputs[input], "input_" + std::to_string(input));
      Buffer out = operands.outputs[output].buffer;
      if (group.size() > mostUnrolledCopies)
        emitByTable(b, group, in, out);
      else
        for (const StridedCopy &copy : group)
          emitCopy(b, copy, in, out);
      rest = rest.drop_front(group.size());
    }
  }
};

} // namespace
} // namespace thimble

void thimble::addMovementKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableMovement>());
}
