// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/ReaderImpl.h"

namespace thimble::tflite {
namespace {

/// Checks that `callee` takes and returns as many tensors as the call gives and expects.
Message checkInterface(const Model &model, const char *role, int callee, size_t inputs,
                       size_t outputs) {
  const Subgraph &s = model.subgraphs[callee];
  if (s.inputs.size() == inputs && s.outputs.size() == outputs)
    return {};
  return std::string(role) + " is subgraph " + std::to_string(callee) + " with " +
         std::to_string(s.inputs.size()) + " inputs and " + std::to_string(s.outputs.size()) +
         " outputs, legal are " + std::to_string(inputs) + " and " + std::to_string(outputs);
}

Message checkIf(const Model &model, const Operator &op, const std::vector<int> &callees) {
  size_t inputs = op.inputs.size() - 1, outputs = op.outputs.size();
  Message m = checkInterface(model, "then branch", callees[0], inputs, outputs);
  return m.empty() ? checkInterface(model, "else branch", callees[1], inputs, outputs) : m;
}

Message checkWhile(const Model &model, const Operator &op, const std::vector<int> &callees) {
  size_t state = op.inputs.size();
  if (op.outputs.size() != state)
    return std::to_string(state) + " inputs but " + std::to_string(op.outputs.size()) +
           " outputs, legal are as many";
  if (Message m = checkInterface(model, "condition", callees[0], state, 1); !m.empty())
    return m;
  const Subgraph &condition = model.subgraphs[callees[0]];
  const Tensor &result = condition.tensors[condition.outputs[0]];
  if (!result.unsupported.empty() || result.type.element != ElementType::Bool)
    return "condition is subgraph " + std::to_string(callees[0]) + ", whose output is no bool";
  if (callees[0] == callees[1])
    return "condition and body are the same subgraph, " + std::to_string(callees[0]);
  return checkInterface(model, "body", callees[1], state, state);
}

Message checkCall(const Model &model, const Operator &op, const std::vector<int> &callees) {
  for (int callee : callees)
    if (callee < 0 || size_t(callee) >= model.subgraphs.size())
      return "calls subgraph " + std::to_string(callee) + ", legal are 0 to " +
             std::to_string(model.subgraphs.size() - 1);
  switch (op.code) {
  case BuiltinOperator::IF:
    return checkIf(model, op, callees);
  case BuiltinOperator::WHILE:
    return checkWhile(model, op, callees);
  default:
    return checkInterface(model, "initializer", callees[0], 0, 0);
  }
}

} // namespace

std::vector<int> calledSubgraphs(const Operator &op) {
  switch (op.code) {
  case BuiltinOperator::IF: {
    const auto &o = op.options<schema::IfOptions>();
    return {o.then_subgraph_index(), o.else_subgraph_index()};
  }
  case BuiltinOperator::WHILE: {
    const auto &o = op.options<schema::WhileOptions>();
    return {o.cond_subgraph_index(), o.body_subgraph_index()};
  }
  case BuiltinOperator::CALL_ONCE:
    return {op.options<schema::CallOnceOptions>().init_subgraph_index()};
  default:
    return {};
  }
}

Message checkCalls(const Model &model) {
  size_t count = model.subgraphs.size();
  std::vector<std::vector<int>> callees(count);
  std::vector<size_t> callers(count);
  for (size_t i = 0; i < count; ++i)
    for (const Operator &op : model.subgraphs[i].operators) {
      std::vector<int> called = calledSubgraphs(op);
      if (called.empty())
        continue;
      if (Message m = checkCall(model, op, called); !m.empty())
        return describe(model.subgraphs[i], op) + ": " + m;
      for (int callee : called) {
        callees[i].push_back(callee);
        ++callers[callee];
      }
    }
  // Take away, again and again, what nobody calls (Kahn's topological order, without
  // recursion): what stays calls itself.
  std::vector<size_t> ready;
  for (size_t i = 0; i < count; ++i)
    if (callers[i] == 0)
      ready.push_back(i);
  size_t taken = 0;
  while (!ready.empty()) {
    size_t i = ready.back();
    ready.pop_back();
    ++taken;
    for (int callee : callees[i])
      if (--callers[callee] == 0)
        ready.push_back(callee);
  }
  if (taken == count)
    return {};
  size_t i = 0;
  while (callers[i] == 0)
    ++i;
  return "subgraph " + std::to_string(i) + " " + quoteName(model.subgraphs[i].name) +
         " is part of a recursion, legal are calls that end";
}

} // namespace thimble::tflite
