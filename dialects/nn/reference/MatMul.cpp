// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/MatMul.h"

#include "dialects/nn/reference/Accumulate.h"

namespace thimble {

using namespace detail;

namespace {

/// input scale * filter scale / output scale as TFLite Micro has it: the product is a double, which
/// older versions of `GetQuantizedConvolutionMultipler` rounded to a float.
double perTensorScale(const TensorType &input, const TensorType &filter, const TensorType &output) {
  return double{input.scale()} * double{filter.scale()} / double{output.scale()};
}

} // namespace

RequantPerChannel prepareFullyConnected(const TensorType &input, const TensorType &filter,
                                        const TensorType *bias, const TensorType &output,
                                        Activation activation, Rounding rounding) {
  RequantPerChannel result = prepareConv(input, filter, bias, output, activation, rounding);
  if (input.element == ElementType::Float32)
    return result;
  result.inputZeroPoint = input.zeroPoint();
  result.outputZeroPoint = output.zeroPoint();
  if (filter.quantization->perChannel())
    return result;
  result.filterZeroPoint = filter.zeroPoint();
  result.multipliers.assign(output.shape.back(),
                            quantizeMultiplier(perTensorScale(input, filter, output)));
  return result;
}

void fullyConnected(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                    const RequantPerChannel &requant) {
  auto run = [&](auto xType, auto wType, auto accType) {
    using X = typename decltype(xType)::type;
    using W = typename decltype(wType)::type;
    using Acc = typename decltype(accType)::type;
    int64_t channels = filter.shape()[filter.type.rank() - 2];
    int64_t depth = filter.shape().back();
    const X *x = input.as<X>();
    const W *w = filter.as<W>();
    X *y = out.as<X>();
    std::vector<Acc> biases = readBias<Acc>(bias, channels);
    for (int64_t row = 0; row < out.elements() / channels; ++row)
      for (int64_t c = 0; c < channels; ++c) {
        Acc acc = dot(Acc{0}, x + row * depth, w + c * depth, depth, requant.inputZeroPoint,
                      requant.filterZeroPoint);
        *y++ = static_cast<X>(requant.finish(wrappingAdd(acc, biases[c]), c));
      }
  };
  withTypes(input.type.element, filter.type.element, requant.wideAccumulator, run);
}

RequantPerChannel prepareBatchMatMul(const TensorType &lhs, const TensorType &rhs,
                                     const TensorType &output) {
  RequantPerChannel result;
  if (lhs.element == ElementType::Float32)
    return result;
  result.multipliers = {quantizeMultiplier(perTensorScale(lhs, rhs, output))};
  result.inputZeroPoint = lhs.zeroPoint();
  result.filterZeroPoint = rhs.zeroPoint();
  result.outputZeroPoint = output.zeroPoint();
  result.clamp = storageRange(output.element);
  result.wideAccumulator = lhs.element == ElementType::Int16;
  return result;
}

namespace {

/// An operand as a stack of row-major matrices, broadcast over the batches of
/// the result.
struct MatrixStack {
  MatrixStack(const Tensor &t, const std::vector<int64_t> &resultShape)
      : rows(t.shape()[t.type.rank() - 2]), columns(t.shape().back()) {
    int64_t leading = t.type.rank() - 2;
    int64_t missing = static_cast<int64_t>(resultShape.size()) - t.type.rank();
    // Innermost batch dimension first: step is 0 where the operand repeats.
    int64_t step = rows * columns;
    for (int64_t d = leading - 1; d >= 0; --d) {
      sizes.push_back(resultShape[d + missing]);
      steps.push_back(t.shape()[d] == 1 ? 0 : step);
      step *= t.shape()[d];
    }
  }

  int64_t offset(int64_t batch) const {
    int64_t result = 0;
    for (size_t d = 0; d < sizes.size(); ++d) {
      result += batch % sizes[d] * steps[d];
      batch /= sizes[d];
    }
    return result;
  }

  int64_t rows, columns;
  std::vector<int64_t> sizes, steps;
};

/// The matrix at `data` with rows and columns swapped.
template <typename T> std::vector<T> transposed(const T *data, int64_t rows, int64_t columns) {
  std::vector<T> result(rows * columns);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      result[c * rows + r] = data[r * columns + c];
  return result;
}

template <typename T, typename Acc>
void batchMatMulTyped(const Tensor &lhs, const Tensor &rhs, bool adjX, bool adjY, Tensor &out,
                      const RequantPerChannel &requant) {
  MatrixStack left(lhs, out.shape()), right(rhs, out.shape());
  int64_t rows = adjX ? left.columns : left.rows;
  int64_t columns = adjY ? right.rows : right.columns;
  int64_t depth = adjX ? left.rows : left.columns;
  T *y = out.as<T>();
  std::vector<T> leftRows, rightColumns;

  for (int64_t batch = 0; batch < out.elements() / (rows * columns); ++batch) {
    // Both operands with k innermost.
    const T *a = lhs.as<T>() + left.offset(batch);
    const T *b = rhs.as<T>() + right.offset(batch);
    if (adjX) {
      leftRows = transposed(a, left.rows, left.columns);
      a = leftRows.data();
    }
    if (!adjY) {
      rightColumns = transposed(b, right.rows, right.columns);
      b = rightColumns.data();
    }
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        Acc acc = dot(Acc{0}, a + i * depth, b + j * depth, depth, requant.inputZeroPoint,
                      requant.filterZeroPoint);
        if constexpr (std::is_same_v<T, float>)
          *y++ = acc; // no activation: infinities stay
        else
          *y++ = static_cast<T>(requant.finish(acc, 0));
      }
  }
}

} // namespace

void batchMatMul(const Tensor &lhs, const Tensor &rhs, bool adjX, bool adjY, Tensor &out,
                 const RequantPerChannel &requant) {
  if (out.elements() == 0)
    return;
  switch (lhs.type.element) {
  case ElementType::Float32:
    return batchMatMulTyped<float, float>(lhs, rhs, adjX, adjY, out, requant);
  case ElementType::Int8:
    return batchMatMulTyped<int8_t, int32_t>(lhs, rhs, adjX, adjY, out, requant);
  case ElementType::Int16:
    return batchMatMulTyped<int16_t, int64_t>(lhs, rhs, adjX, adjY, out, requant);
  default:
    assert(false && "operands must be float32, int8 or int16");
    std::abort();
  }
}

} // namespace thimble
