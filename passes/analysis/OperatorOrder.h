// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The order of operators that needs the least memory. Plain C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace thimble {

/// A buffer is live from the first operator that touches it to the last.
struct OrderBuffer {
  int64_t bytes = 0;
  bool isInput = false;  // live from before the first operator
  bool isOutput = false; // live until after the last
};

struct OrderOperator {
  /// Operators that have to run earlier.
  std::vector<size_t> after;
  /// Buffers that are read or written, each once.
  std::vector<size_t> touches;
  /// Buffers as large as the only result. It takes over the bytes of one that nothing touches
  /// later.
  std::vector<size_t> inPlace;
  /// Scratch.
  int64_t workBytes = 0;
};

struct OrderProblem {
  std::vector<OrderBuffer> buffers;
  /// In an order that is possible: `after` names earlier ones only.
  std::vector<OrderOperator> operators;
};

struct OperatorOrder {
  std::vector<size_t> order;
  int64_t peak = 0;
  /// No order has a lower peak than this.
  int64_t lowerBound = 0;

  bool isOptimal() const { return peak == lowerBound; }
};

/// The most bytes live at once when the operators run in `order`.
int64_t peakOf(const OrderProblem &problem, const std::vector<size_t> &order);

/// The order with the lowest peak; the given one wherever that does as well. Deterministic.
///
/// Dynamic programming over the sets of operators that have run: what is live depends on the set
/// alone (Liberis and Lane, "Neural networks on microcontrollers: saving memory at inference via
/// operator reordering", 2019). Operators that all others come before or after cut the network into
/// parts, and each is searched for orders that keep to a budget, which is bisected (Ahn et al.,
/// "Ordering chaos: memory-aware scheduling of irregularly wired neural networks for edge devices",
/// MLSys 2020). Beyond these:
/// - A chain of operators that ends with no more live than before it, and on its way keeps to the
///   budget, runs at once, with no alternative (Liu, "An application of generalized tree pebbling
///   to sparse matrix factorization", 1987, for trees). This loses nothing: live bytes are a
///   submodular function of the set, so whatever else would have run before the chain takes no more
///   after it.
/// - Of sets of equal size those of the lowest peaks and least live bytes are followed when there
/// are
///   too many.
///
/// A sweep over a part looks at about `stepLimit` operators; so many sets are followed as that
/// allows. As long as it is enough the order is optimal.
OperatorOrder findOrder(const OrderProblem &problem, size_t stepLimit = size_t(1) << 24);

} // namespace thimble
