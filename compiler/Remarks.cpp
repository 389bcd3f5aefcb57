// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Remarks.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace thimble;

namespace {
class Streamer : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Streamer(std::vector<RemarkEntry> &entries) : entries(entries) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    RemarkEntry entry;
    entry.kind = remark.getRemarkTypeString().lower();
    entry.name = remark.getRemarkName().str();
    entry.category = remark.getCategoryName().str();
    if (auto named = dyn_cast<NameLoc>(remark.getLocation()))
      entry.layer = named.getName().str();
    // A reason or plain text stands for itself; any other argument is told by its key.
    for (const auto &argument : remark.getArgs()) {
      entry.text += entry.text.empty() ? "" : "; ";
      if (argument.key != "Reason" && argument.key != "Remark")
        entry.text += StringRef(argument.key).lower() + ": ";
      entry.text += argument.val;
    }
    entries.push_back(std::move(entry));
  }

private:
  std::vector<RemarkEntry> &entries;
};
} // namespace

RemarkCollector::RemarkCollector(MLIRContext &context) : context(context) {
  if (context.getRemarkEngine())
    return;
  // The engine asks each kind for a category of its own, whatever `all` says.
  const std::string any = ".*";
  remark::RemarkCategories everything{any, any, any, any, any};
  auto engine =
      std::make_unique<remark::detail::RemarkEngine>(/*printAsEmitRemarks=*/false, everything);
  std::string message;
  if (failed(engine->initialize(std::make_unique<Streamer>(collected),
                                std::make_unique<remark::RemarkEmittingPolicyAll>(), &message)))
    return;
  context.setRemarkEngine(std::move(engine));
  installed = true;
}

RemarkCollector::~RemarkCollector() {
  if (installed)
    context.setRemarkEngine(nullptr);
}
