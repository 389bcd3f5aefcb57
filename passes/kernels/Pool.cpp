// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable pooling: plain loops for every type.
#include "dialects/nn/reference/Pool.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/RowSum.h"
#include "passes/kernels/Window.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

enum class PoolKind { Average, Maximum, RootMeanSquare };

/// One kernel serves a kind of pooling.
class PortablePool : public Kernel {
public:
  PortablePool(PoolKind kind, StringRef name) : kind(kind), name(name) {}

  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!poolOf(q.op))
      return std::nullopt;
    const CostRules &costs = q.target.costs;
    auto filter = poolOf(q.op)->filter;
    // C compilers unroll small windows of bytes that are inside the picture.
    const bool isUnrolled = filter[0] * filter[1] <= 9 && byteSize(q.inputs[0].element) == 1 &&
                            llvm::all_of(poolOf(q.op)->pads, [](int64_t pad) { return pad == 0; });
    double perTap =
        isUnrolled ? costs.load + costs.alu : costs.load + 3 * costs.alu + costs.takenBranch;
    double perOutput = isUnrolled ? 10 : 30;
    Candidate c;
    c.rows = q.outputs[0].shape[0] * q.outputs[0].shape[1];
    c.cycles =
        static_cast<int64_t>(static_cast<double>(q.outputs[0].elements()) *
                             (perTap * static_cast<double>(filter[0] * filter[1]) + perOutput));
    c.flashBytes = 250;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Pool pool = *poolOf(op);
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    PoolClamp clamp = preparePool(out, pool.activation);
    bool isFloat = out.element == ElementType::Float32;
    int64_t inH = in.shape[1], inW = in.shape[2], channels = in.shape[3];
    int64_t outH = out.shape[1], outW = out.shape[2];

    PictureRow place = splitRow(b, row, out);
    Val y0 = place.y * pool.strides[0] - pool.pads[0];
    TapRange ys = tapRange(b, y0, pool.filter[0], 1, inH, pool.pads[0],
                           (outH - 1) * pool.strides[0] - pool.pads[0]);
    b.loop("x", outW, [&](Val x) {
      Val x0 = x * pool.strides[1] - pool.pads[2];
      TapRange xs = tapRange(b, x0, pool.filter[1], 1, inW, pool.pads[2],
                             (outW - 1) * pool.strides[1] - pool.pads[2]);
      Val count = b.toI32((ys.end - ys.first) * (xs.end - xs.first));
      b.loop("channel", channels, [&](Val channel) {
        Val start = initial(b, out.element);
        Val sum = b.accumulate("ky", ys.first, ys.end, 1, start, [&](Val ky, Val acc) {
          return b.accumulate("kx", xs.first, xs.end, 1, acc, [&](Val kx, Val acc) {
            Val pixel = (place.batch * inH + y0 + ky) * inW + x0 + kx;
            return combine(b, acc, b.load(input, pixel * channels + channel, "pixel"));
          });
        });
        Val result = finish(b, sum, count);
        b.store(operands.outputs[0].buffer, (row * outW + x) * channels + channel,
                isFloat ? b.clamp(result, clamp.real) : b.clamp(result, clamp.stored));
      });
    });
  }

protected:
  struct Pool {
    ArrayRef<int64_t> filter, strides, pads;
    Activation activation;
  };

  std::optional<Pool> poolOf(nn::NNOperator op) const {
    auto describe = [](auto pool) {
      return Pool{pool.getFilter(), pool.getStrides(), pool.getPads(),
                  static_cast<Activation>(pool.getActivation())};
    };
    if (auto pool = dyn_cast<nn::AveragePool2DOp>(*op); pool && kind == PoolKind::Average)
      return describe(pool);
    if (auto pool = dyn_cast<nn::MaxPool2DOp>(*op); pool && kind == PoolKind::Maximum)
      return describe(pool);
    if (auto pool = dyn_cast<nn::L2Pool2DOp>(*op); pool && kind == PoolKind::RootMeanSquare)
      return describe(pool);
    return std::nullopt;
  }

  Val initial(KernelBuilder &b, ElementType element) const {
    if (element != ElementType::Float32)
      return b.i32(kind == PoolKind::Maximum ? storageRange(element).low : 0);
    return b.f32(kind == PoolKind::Maximum ? std::numeric_limits<float>::lowest() : 0.0f);
  }

  Val combine(KernelBuilder &b, Val acc, Val value) const {
    // Sums of at most 2^31 bytes' worth of 16-bit elements are bounded by the verifier of nn.
    KernelBuilder::NoOverflow guard(b);
    switch (kind) {
    case PoolKind::Average:
      return acc + value;
    case PoolKind::Maximum:
      return b.max(acc, value);
    case PoolKind::RootMeanSquare:
      return acc + value * value;
    }
    return acc;
  }

  // Means are rounded half away from zero.
  Val finish(KernelBuilder &b, Val sum, Val count) const {
    if (kind == PoolKind::Maximum)
      return sum;
    if (sum.isFloat()) {
      Val mean = sum / b.toFloat(count);
      return kind == PoolKind::Average ? mean : b.call("thimble_sqrtf", {mean}, mean);
    }
    KernelBuilder::NoOverflow guard(b);
    Val half = count / 2;
    return b.select(sum > 0, sum + half, sum - half) / count;
  }

private:
  PoolKind kind;
  StringRef name;
};

/// The mean of a whole picture, fed row by row.
class AverageByRows : public PortablePool {
public:
  AverageByRows() : PortablePool(PoolKind::Average, "average_pool_2d.by_rows") {}

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<Pool> pool = poolOf(q.op);
    const std::vector<int64_t> &shape = pool ? q.inputs[0].shape : std::vector<int64_t>();
    if (!pool || shape[0] != 1 || q.outputs[0].elements() != shape[3] ||
        pool->filter != ArrayRef(shape).slice(1, 2) ||
        llvm::any_of(pool->pads, [](int64_t pad) { return pad != 0; }))
      return std::nullopt;
    return RowSum::candidate(q);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Pool pool = *poolOf(op);
    const TensorType &out = operands.outputs[0].type;
    PoolClamp clamp = preparePool(out, pool.activation);
    const bool isFloat = out.element == ElementType::Float32;
    auto start = [&] { return initial(b, out.element); };
    auto add = [&](Val sum, Val value) { return combine(b, sum, value); };
    auto end = [&](Val sum) {
      Val mean = finish(b, sum, b.i32(pool.filter[0] * pool.filter[1]));
      return isFloat ? b.clamp(mean, clamp.real) : b.clamp(mean, clamp.stored);
    };
    RowSum{start, add, end}.emit(b, operands, row);
  }
};

} // namespace
} // namespace thimble

void thimble::addPoolKernels(KernelList &list) {
  list.push_back(std::make_unique<PortablePool>(PoolKind::Average, "average_pool_2d.portable"));
  list.push_back(std::make_unique<PortablePool>(PoolKind::Maximum, "max_pool_2d.portable"));
  list.push_back(std::make_unique<PortablePool>(PoolKind::RootMeanSquare, "l2_pool_2d.portable"));
  list.push_back(std::make_unique<AverageByRows>());
}
