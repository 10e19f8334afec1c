// What the blocks of a product on tensor cores do, slice by slice, from its plan alone: the input of the model in
// tools/sass.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/cuda/tile/tensor_product.h"

namespace umbra::cuda_test {

/// The product's packed operands and its tiles, for rung cuda_7_cluster:
///   packs  [bytes read, bytes written] of every operand that is packed, in order
///   parts  blocks that share a tile
///   pairs  whether slices are pairs of positions, not taps
///   w, x   [copies of a slice, bytes of all] of W, and [copies of a slice for all units, bytes of each] of X
///   tiles  [[tiles in a row that are alike, [per part: [[slices, copies, products, steps], …]]], …]: so many of
///          the part's slices start so many copies and are multiplied by so many sequences of `steps` wgmmas
nlohmann::json tensor_work(const TensorProduct& product);

}  // namespace umbra::cuda_test
