// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The families of kernels: each adds its own to the table.
#pragma once

#include "passes/kernels/Kernel.h"

namespace thimble {

using KernelList = std::vector<std::unique_ptr<Kernel>>;

// Portable, of every operator.
void addConvolutionKernels(KernelList &list);
void addMatMulKernels(KernelList &list);
void addPoolKernels(KernelList &list);
void addNormalizationKernels(KernelList &list);
void addUnaryKernels(KernelList &list);
void addBinaryKernels(KernelList &list);
void addSelectionKernels(KernelList &list);
void addConversionKernels(KernelList &list);
void addMovementKernels(KernelList &list);
void addIndexingKernels(KernelList &list);
void addReductionKernels(KernelList &list);
void addResizeKernels(KernelList &list);

// For cores with the DSP extension (dsp/).
void addDspConvolutionKernels(KernelList &list);
void addDspDepthwiseKernels(KernelList &list);
void addDspAddKernels(KernelList &list);
void addDspPoolKernels(KernelList &list);

// Of instructions, for cores with the DSP extension and an FPU (asm/).
void addGatherConvolutionKernels(KernelList &list);
void addDepthwiseWindowKernels(KernelList &list);
void addDepthwiseTapsKernels(KernelList &list);
void addDepthwiseStripKernels(KernelList &list);
void addDepthwiseDirectKernels(KernelList &list);
void addDepthwiseInRegistersKernels(KernelList &list);
void addPatchConvolutionKernels(KernelList &list);
void addCompactConvolutionKernels(KernelList &list);
void addWinogradKernels(KernelList &list);
void addAsmFullyConnectedKernels(KernelList &list);
void addAsmAddKernels(KernelList &list);
void addAsmMulKernels(KernelList &list);
void addAsmInt16Kernels(KernelList &list);
void addAsmInt16DepthwiseKernels(KernelList &list);
void addAsmLookupKernels(KernelList &list);
void addAsmPoolKernels(KernelList &list);
void addAsmMeanKernels(KernelList &list);

} // namespace thimble
