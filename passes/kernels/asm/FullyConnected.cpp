// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Fully connected layers of int8, and convolutions that are one for each of a few pixels. Every
// weight is used once, so loads decide: a pass computes up to eight outputs, whose accumulators
// stay in registers, and unpacks no weight.
//
// Byte-mix: a 16-bit lane holds 256 * odd + even for the weights of two outputs, a word the lanes
// of two inputs. SMLAD with the word gives 256 * S_odd + S_even, SXTB16 leaves the even weights,
// and a second SMLAD gives S_even. Two inputs and eight outputs take five loads and twelve
// operations: 18 cycles for 16 products. Where a weight is -128 or the sums are too wide, weights
// take 16 bits.
//
// Inputs are widened to pairs of 16 bits in the frame, at fixed offsets: no register points at
// them, so the code is unrolled over a chunk of inputs. Layers with more inputs go through the
// chunks in turn for a block of outputs, whose sums wait in the frame; the last chunk overlaps the
// one before it, with weights of zero, if need be. So does the last pass over outputs.
//
// Other kernels loop over the inputs, which are widened again for each pass: a little slower, but
// small, without a frame, and one for layers of all sizes. Their last trip may overlap, too.
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/FullyConnectedLayer.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble {
namespace {

class Portable {
public:
  Portable(KernelBuilder &b, const FullyConnectedCode &code, ArrayRef<Buffer> buffers)
      : b(b), code(code), cut(code.cut), x(buffers[0]), y(buffers[1]), table(buffers[2]) {}

  void emit() {
    KernelBuilder::NoOverflow wraps(b, false);
    Val blocks = b.toIndex(word(b.index(4)));
    lastChunk = b.toIndex(word(b.index(5))) - 1;
    pairs = b.index(cut.pairs());
    if (cut.isLooped()) {
      lastTrip = b.toIndex(word(b.index(6))) - (cut.overlap() ? 0 : cut.step);
      pairs = ((lastTrip + cut.step - 1) / cut.step + 1) * (cut.step / 2);
    }
    b.loop("block", b.index(0), blocks, 1, {b.index(cut.headerWords())},
           [&](Val, ArrayRef<Val> at) { return Vals{block(at[0])}; });
  }

private:
  Val word(Val index) { return b.load(table, index, "word"); }

  /// Where the next block is.
  Val block(Val at) {
    groups = b.toIndex(word(at));
    Val starts = at + 1;
    chunks = starts + groups * cut.group;
    Val trailers = chunks + lastChunk * chunkStep() + 1;
    Val step = groupWords() + code.trailerWords();
    b.loop("g", b.index(0), groups, 1, [&](Val g) {
      Val trailer = trailers + g * step + groupWords();
      b.loop("o", code.stored(), [&](Val o) {
        Val sum =
            b.accumulate("chunk", b.index(0), lastChunk + 1, 1, start(starts + g * cut.group, o),
                         [&](Val c, Val sum) { return products(sum, c, g, o); });
        b.store(y, b.toIndex(word(trailer)) + o, scaled(sum, trailer, o));
      });
    });
    return trailers + groups * step;
  }
  Val chunkStep() { return groups * groupWords() + 1; }
  Val groupWords() { return pairs * cut.wordsPerPair(); }

  /// 2^bits * S of output `o` before the first product.
  Val start(Val starts, Val o) {
    if (!cut.isMixed)
      return word(starts + o);
    Val odd = word(starts + o / 2), even = word(starts + o / 2 + cut.group / 2);
    return b.select(o % 2 == 1, odd - even, even << 8);
  }

  Val products(Val sum, Val c, Val g, Val o) {
    Val chunk = chunks + c * chunkStep();
    Val own = b.select(c == lastChunk, b.index(code.trailerWords()), b.index(0));
    Val weights = chunk + 1 + g * (own + groupWords());
    Val from = b.toIndex(word(chunk));
    return b.accumulate("pair", b.index(0), pairs, 1, sum, [&](Val pair, Val sum) {
      Val at = pair / 2 * 4;
      if (cut.isLooped())
        at = b.min(at / cut.step * cut.step, lastTrip) + at % cut.step;
      else if (cut.chunk % 4 != 0 && cut.chunk > 4)
        at = b.min(at, b.index(cut.chunk - 4));
      at = at + pair % 2;
      // A lane without an input has a weight of zero.
      Val other = cut.chunk < 4 ? b.min(at + 2, b.index(cut.chunk - 1)) : at + 2;
      Val lanes = word(weights + pair * cut.wordsPerPair() + (cut.isMixed ? o / 2 : o));
      return sum + weight(dsp::lowHalf(lanes), o) * b.load(x, from + at, "x") +
             weight(dsp::highHalf(lanes), o) * b.load(x, from + other, "x");
    });
  }

  /// 2^bits times the weight in a lane.
  Val weight(Val lane, Val o) {
    if (!cut.isMixed)
      return lane;
    Val even = (lane << 24) >> 24;
    return b.select(o % 2 == 1, lane - even, even << 8);
  }

  Val scaled(Val sum, Val trailer, Val o) {
    Val shift = word(b.index(3)), result;
    if (code.isShared) {
      // Without a sign's addend this is the shorter form.
      result = OutputScaling::scale(b, OutputScaling::Signed, sum,
                                    {word(b.index(0)), word(b.index(1)), word(b.index(2))});
    } else {
      Vals own;
      for (int64_t i = 0; i < code.constantWords(); ++i)
        own.push_back(word(trailer + 1 + o * code.constantWords() + i));
      result = OutputScaling::scale(b, code.form, sum, own);
    }
    return OutputScaling::saturate(b, code.saturation, result >> shift);
  }

  KernelBuilder &b;
  const FullyConnectedCode &code;
  const FullyConnectedCut &cut;
  Buffer x, y, table;
  Val lastChunk, groups, chunks, pairs, lastTrip;
};

//===-- The kernel --------------------------------------------------------------------------===//

AsmKernel asmKernel(const FullyConnectedCode &code) {
  AsmKernel kernel;
  kernel.name = code.name();
  kernel.buffers = {{"x", ElementType::Int8, false},
                    {"y", ElementType::Int8, true},
                    {"table", ElementType::Int32, false}};
  kernel.frameBytes = code.frameBytes();
  kernel.instructions = [code](AsmBuilder &a, ArrayRef<Reg> arguments) { code.emit(a, arguments); };
  kernel.portable = [code](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    Portable(b, code, buffers).emit();
  };
  return kernel;
}

/// Whether each output pixel is a product with inputs that lie side by side. Where pixels are many,
/// kernels that use a weight for several of them are better.
bool isMatrixProduct(const KernelQuery &q) {
  if (isa<nn::FullyConnectedOp>(*q.op))
    return true;
  auto conv = dyn_cast<nn::Conv2DOp>(*q.op);
  if (!conv || llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; }) ||
      q.inputs[0].shape[3] != q.inputs[1].shape[3])
    return false;
  constexpr int64_t mostPixels = 16;
  ArrayRef<int64_t> in = q.inputs[0].shape, filter = q.inputs[1].shape, out = q.outputs[0].shape;
  if (out[0] * out[1] * out[2] > mostPixels)
    return false;
  auto window = filter.slice(1, 2), picture = in.slice(1, 2);
  auto isOne = [](int64_t n) { return n == 1; };
  if (llvm::all_of(window, isOne))
    return llvm::all_of(conv.getStrides(), isOne);
  return window == picture && llvm::all_of(conv.getDilations(), isOne);
}

class AsmFullyConnected : public Kernel {
public:
  AsmFullyConnected(StringRef name, int64_t step) : name(name), step(step) {}

  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!dsp::appliesTo(q) || !q.target.fpu || !isMatrixProduct(q) || !q.constants[1] ||
        q.inputs[1].element != ElementType::Int8)
      return std::nullopt;
    if (q.inputs.size() > 2 && (!q.constants[2] || q.inputs[2].element != ElementType::Int32))
      return std::nullopt;
    KernelOperands operands;
    for (auto [type, constant] : llvm::zip(q.inputs, q.constants))
      operands.inputs.push_back({type, {}, constant});
    operands.outputs.push_back({q.outputs[0], {}, nullptr});
    std::optional<FullyConnectedLayer> layer = layerOf(q.op, operands);
    if (!layer)
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].elements() / layer->code.cut.outputs;
    asmKernel(layer->code).addTo(c, c.rows);
    c.flashBytes += 4 * layer->tableWords();
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    FullyConnectedLayer layer = *layerOf(op, operands);
    const FullyConnectedCut &cut = layer.code.cut;
    Buffer table = b.table<int32_t>("weights", layer.table());
    callAsm(b, asmKernel(layer.code),
            {{bufferOf(b, operands.inputs[0], "input"), row * cut.depth},
             {operands.outputs[0].buffer, row * cut.outputs},
             {table, b.index(0)}});
  }

private:
  std::optional<FullyConnectedLayer> layerOf(nn::NNOperator op,
                                             const KernelOperands &operands) const {
    RequantPerChannel requant = nn::requantOf(op);
    const Tensor *bias = operands.inputs.size() > 2 ? operands.inputs[2].constant.get() : nullptr;
    return FullyConnectedLayer::create(foldWeights(*operands.inputs[1].constant, bias, requant),
                                       requant, step);
  }

  StringRef name;
  int64_t step;
};

} // namespace
} // namespace thimble

void thimble::addAsmFullyConnectedKernels(KernelList &list) {
  auto add = [&](StringRef name, int64_t step) {
    list.push_back(std::make_unique<AsmFullyConnected>(name, step));
  };
  add("fully_connected.unrolled", 0);
  add("fully_connected.looped", 4);
  add("fully_connected.looped_by_8", 8);
}
