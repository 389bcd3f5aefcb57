# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
# cmake -DFILE=x.ll -P StripTargetAttributes.cmake
# Removes the processor, its features and soft-float from the functions of an LLVM assembly file, so
# that they take those of the module they are linked into: with them they would neither inline into
# functions for a core with an FPU nor use that FPU.
file(READ ${FILE} text)
string(REGEX REPLACE "\"(target-cpu|target-features|use-soft-float)\"=\"[^\"]*\"" "" text "${text}")
file(WRITE ${FILE} "${text}")
