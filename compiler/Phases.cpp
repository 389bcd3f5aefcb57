// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Phases.h"

#include "compiler/Options.h"
#include "dialects/m4/M4Ops.h"
#include "passes/Passes.h"
#include "targets/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace thimble;

static void populateNothing(OpPassManager &, const CompileOptions &) {}

// After it: no operator has only constant operands (but for those whose result would take more
// flash), elementwise operators are fused, merged or necessary, and nothing is computed that no
// output needs.
static void populateSimplify(OpPassManager &pm, const CompileOptions &) {
  pm.addPass(createCanonicalizerPass());
  OpPassManager &network = pm.nest<func::FuncOp>();
  network.addPass(createFoldConstants());
  network.addPass(createFoldPad());
  // Fusion before removal: a clamp that is fused is not there to be idle.
  network.addPass(createFuseActivations());
  network.addPass(createRemoveIdleClamps());
  network.addPass(createMergeLookups());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

// After it: no channel of integers is computed that is constant or that nothing reads, where a bias
// or smaller weights can stand for it, and no rows and columns that no window reaches.
static void populateReduce(OpPassManager &pm, const CompileOptions &) {
  OpPassManager &network = pm.nest<func::FuncOp>();
  network.addPass(createFoldConstantChannels());
  network.addPass(createRemoveDeadSlices());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

// After it: every operator names the kernels that can compute it.
static void populateCandidates(OpPassManager &pm, const CompileOptions &options) {
  ListCandidatesOptions list;
  list.target = options.target;
  list.prefer = llvm::to_vector(options.preferredKernels);
  pm.addPass(createListCandidates(list));
}

// After it: the module is one mcu.program whose buffers have their places.
static void populatePlan(OpPassManager &pm, const CompileOptions &options) {
  pm.nest<func::FuncOp>().addPass(createOrderOperators());
  PlanProgramOptions plan;
  plan.name = options.name;
  plan.target = options.target;
  plan.optimize = options.optimize;
  plan.ram = options.planRam;
  plan.inputByRows = options.streamInput;
  pm.addPass(createPlanProgram(plan));
  PlaceBuffersOptions place;
  place.regions = llvm::to_vector(ramRegions(options));
  place.stack = options.planStack;
  pm.addPass(createPlaceBuffers(place));
}

// After it: every kernel is a call of a function of loops, every schedule a function; kernels call
// kernels of instructions on physical registers.
static void populateLowerKernels(OpPassManager &pm, const CompileOptions &options) {
  pm.addPass(createLowerKernels());
  LowerStreamsOptions streams;
  streams.instrument = options.instrument;
  pm.addPass(createLowerStreams(streams));
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  OpPassManager &kernels = pm.nest<m4::KernelOp>();
  kernels.addPass(createAllocateRegisters({/*pairLoads=*/true}));
  kernels.addPass(createCountCycles());
}

std::vector<std::string> thimble::ramRegions(const CompileOptions &options) {
  const Target *target = findTarget(options.target);
  if (!options.regions.empty() || !target)
    return options.regions;
  std::vector<std::string> regions;
  for (const MemoryRegion &region : target->ram)
    regions.push_back(region.text());
  return regions;
}

ArrayRef<PhaseInfo> thimble::phaseTable() {
  static const PhaseInfo table[] = {
      {Phase::Import, "import", "read the model into the nn dialect", populateNothing},
      {Phase::Simplify, "simplify", "simplify the network exactly", populateSimplify},
      {Phase::Prune, "prune", "remove weights, when asked", populateNothing},
      {Phase::Quantize, "quantize", "change precision, when asked", populateNothing},
      {Phase::Reduce, "reduce", "reduce integer computations exactly", populateReduce},
      {Phase::Candidates, "candidates", "list the kernels for each operator", populateCandidates},
      {Phase::Plan, "plan", "order operators, choose kernels, place buffers", populatePlan},
      {Phase::LowerKernels, "lower-kernels", "turn kernels into loops", populateLowerKernels},
      {Phase::Emit, "emit", "write C, assembly or an object file", populateNothing},
  };
  return table;
}

const PhaseInfo &thimble::phaseInfo(Phase phase) {
  return phaseTable()[static_cast<size_t>(phase)];
}

std::optional<Phase> thimble::parsePhase(StringRef name) {
  for (const PhaseInfo &info : phaseTable())
    if (info.name == name)
      return info.phase;
  return std::nullopt;
}
