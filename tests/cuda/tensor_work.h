// What the blocks of a product on tensor cores do, slice by slice, from its plan alone: the input of the model in
// tools/sass.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/cuda/tile/tensor_product.h"

namespace umbra::cuda_test {

/// The product's packed operands and its clusters, for rung cuda_7_cluster:
///   packs     [bytes read, bytes written] of every operand that is packed, in order
///   cluster   blocks of a cluster
///   pairs     whether slices are pairs of positions, not taps
///   w, x      [copies of a slice, bytes of all] of W, and [units of a slice, bytes of each] of X
///   clusters  [[clusters in a row that are alike, [per block: [[slices, copies, products, steps], …]]], …]: so
///             many of the block's slices fetch so many boxes of W and units of X, and are multiplied by so many
///             sequences of `steps` wgmmas. A unit counts as a copy even if one copy fetches all units
nlohmann::json tensor_work(const TensorProduct& product);

}  // namespace umbra::cuda_test
