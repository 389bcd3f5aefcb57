// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Prints docs/Operators.md.

#include "dialects/nn/NNLegality.h"
#include "llvm/Support/raw_ostream.h"

int main() { thimble::nn::printOperatorsPage(llvm::outs()); }
