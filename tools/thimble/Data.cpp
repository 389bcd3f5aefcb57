// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Data.h"

#include "compiler/support/Npz.h"
#include "dialects/nn/NNTypes.h"
#include "tools/thimble/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

#include <random>

using namespace thimble;
using namespace thimble::driver;

std::string driver::typeText(const TensorType &type) {
  std::string shape;
  for (int64_t d : type.shape)
    shape += (shape.empty() ? "" : "x") + std::to_string(d);
  return std::string(name(type.element)) + "[" + shape + "]";
}

/// How many samples of type `wanted` the array has; 0 if it does not fit.
static int64_t samplesIn(const Tensor &array, const TensorType &wanted) {
  if (array.type.element != wanted.element)
    return 0;
  if (array.elements() == wanted.elements())
    return 1;
  bool hasAxis = !array.shape().empty() && array.shape().front() > 0 &&
                 array.elements() == array.shape().front() * wanted.elements();
  return hasAxis ? array.shape().front() : 0;
}

/// Appends what `array` has for one input to the samples; the first input makes them.
static bool addInput(const std::string &where, const Tensor &array, const TensorType &wanted,
                     bool isFirst, std::vector<Sample> &samples) {
  int64_t count = samplesIn(array, wanted);
  if (count == 0) {
    printError(where + ": the input must be " + typeText(wanted) + ", or several of it, got " +
               typeText(array.type));
    return false;
  }
  if (isFirst)
    samples.resize(static_cast<size_t>(count));
  if (samples.size() != static_cast<size_t>(count)) {
    printError(where + ": has " + std::to_string(count) + " samples, the first input has " +
               std::to_string(samples.size()));
    return false;
  }
  for (size_t s = 0; s < samples.size(); ++s) {
    Tensor one(wanted);
    std::memcpy(one.data.data(), array.data.data() + s * one.data.size(), one.data.size());
    samples[s].push_back(std::move(one));
  }
  return true;
}

static bool isArchive(llvm::ArrayRef<std::string> paths) {
  return paths.size() == 1 && llvm::StringRef(paths.front()).ends_with(".npz");
}

static std::optional<std::vector<Sample>> readArchive(const std::string &path,
                                                      llvm::ArrayRef<TensorType> types) {
  auto bytes = readFile(path);
  if (!bytes)
    return std::nullopt;
  Result<std::vector<NamedArray>> arrays = readNpz(*bytes);
  if (!arrays) {
    printError(path + ": " + arrays.error());
    return std::nullopt;
  }
  std::vector<Sample> samples;
  for (auto [position, type] : llvm::enumerate(types)) {
    std::string wanted = "input_" + std::to_string(position);
    auto found = llvm::find_if(*arrays, [&](const NamedArray &a) { return a.name == wanted; });
    if (found == arrays->end()) {
      printError(path + ": has no array '" + wanted + "': the model has " +
                 std::to_string(types.size()) + " inputs, named input_0 and so on");
      return std::nullopt;
    }
    if (!addInput(path + ": " + wanted, found->array, type, position == 0, samples))
      return std::nullopt;
  }
  return samples;
}

std::optional<std::vector<Sample>> driver::readSamples(mlir::func::FuncOp main,
                                                       llvm::ArrayRef<std::string> paths) {
  llvm::SmallVector<TensorType> types;
  for (mlir::BlockArgument argument : main.getArguments())
    types.push_back(*nn::toTensorType(argument.getType()));
  if (isArchive(paths))
    return readArchive(paths.front(), types);
  if (paths.size() != types.size()) {
    printError("the model has " + std::to_string(types.size()) + " inputs, --input is given " +
               std::to_string(paths.size()) +
               " times: give one .npy for each, or one .npz with input_0 and so on");
    return std::nullopt;
  }
  // A model without inputs has one way to run.
  std::vector<Sample> samples(types.empty() ? 1 : 0);
  for (auto [position, type] : llvm::enumerate(types)) {
    const std::string &path = paths[position];
    auto bytes = readFile(path);
    if (!bytes)
      return std::nullopt;
    Result<Tensor> array = readNpy(*bytes);
    if (!array) {
      printError(path + ": " + array.error());
      return std::nullopt;
    }
    if (!addInput(path, *array, type, position == 0, samples))
      return std::nullopt;
  }
  return samples;
}

static Tensor randomTensor(const TensorType &type, std::mt19937 &random) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    uint32_t bits = random();
    switch (type.element) {
    case ElementType::Bool:
      tensor.as<bool>()[i] = bits & 1;
      break;
    case ElementType::Int8:
    case ElementType::UInt8:
      tensor.as<uint8_t>()[i] = static_cast<uint8_t>(bits);
      break;
    case ElementType::Int16:
      tensor.as<int16_t>()[i] = static_cast<int16_t>(bits);
      break;
    // Such inputs are indices and shapes rather than noise: small ones are legal most often.
    case ElementType::Int32:
      tensor.as<int32_t>()[i] = static_cast<int32_t>(bits & 1);
      break;
    case ElementType::Int64:
      tensor.as<int64_t>()[i] = static_cast<int64_t>(bits & 1);
      break;
    case ElementType::Float32:
      tensor.as<float>()[i] = static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f;
      break;
    }
  }
  return tensor;
}

static std::vector<Sample> randomSamples(mlir::func::FuncOp main, size_t count) {
  std::mt19937 random(1); // the same inputs every time, on every machine
  std::vector<Sample> samples(count);
  for (Sample &sample : samples)
    for (mlir::BlockArgument argument : main.getArguments())
      sample.push_back(randomTensor(*nn::toTensorType(argument.getType()), random));
  return samples;
}

std::optional<std::vector<Sample>>
driver::samplesFor(mlir::ModuleOp imported, llvm::ArrayRef<std::string> paths, size_t count) {
  auto main = imported.lookupSymbol<mlir::func::FuncOp>("main");
  return paths.empty() ? randomSamples(main, count) : readSamples(main, paths);
}

bool driver::writeTensors(llvm::ArrayRef<Tensor> tensors, llvm::ArrayRef<std::string> paths) {
  std::vector<OutputFile> files;
  if (isArchive(paths)) {
    std::vector<NamedArray> arrays;
    for (auto [position, tensor] : llvm::enumerate(tensors))
      arrays.push_back({"output_" + std::to_string(position), tensor});
    files.push_back({paths.front(), writeNpz(arrays)});
    return writeFiles(files);
  }
  if (paths.size() != tensors.size()) {
    printError("the model has " + std::to_string(tensors.size()) + " outputs, --output is given " +
               std::to_string(paths.size()) +
               " times: give one .npy for each, or one .npz for all");
    return false;
  }
  for (auto [tensor, path] : llvm::zip(tensors, paths))
    files.push_back({path, writeNpy(tensor)});
  return writeFiles(files);
}

bool driver::writeFiles(llvm::ArrayRef<OutputFile> files) {
  std::vector<std::unique_ptr<llvm::ToolOutputFile>> written;
  for (const OutputFile &file : files) {
    std::error_code error;
    auto out = std::make_unique<llvm::ToolOutputFile>(file.name, error, llvm::sys::fs::OF_None);
    if (!error) {
      out->os() << file.contents;
      out->os().flush();
      error = out->os().error();
      out->os().clear_error();
    }
    if (error) {
      printError("cannot write '" + file.name + "': " + error.message());
      return false;
    }
    written.push_back(std::move(out));
  }
  for (auto &out : written)
    out->keep();
  return true;
}
