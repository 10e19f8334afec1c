// The lists of tensors on which ops over several tensors are tested and timed.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/optim/tensor_list.h"

namespace umbra {

/// Elements of the tensors of every list: none, empty ones between others, one more and one less than
/// vectors and chunks, a network's mixture of large and small, and more than fit into one launch of a GPU.
inline std::vector<std::vector<std::int64_t>> tensor_counts() {
  std::vector<std::int64_t> many;
  for (std::int64_t k = 0; k < 133; ++k) many.push_back(k * 37 % 71);
  return {{},
          {0, 0},
          {1, 0, 5},
          {0, 2047, 2048, 2049, 0},
          {4096, 4097, 3, 4095},
          {64, 1, 8193, 63, 65, 2},
          {16411, 20, 20, 32768, 1, 7, 16384, 0, 33, 40},
          many};
}

/// Tensors of these counts; optionally, every third without a gradient and every second with a bf16 copy.
inline TensorList tensor_list_of(const std::vector<std::int64_t>& counts, bool gradients_absent = false,
                                 bool bf16_copies = false) {
  TensorList tensors;
  for (const std::int64_t count : counts) {
    const std::size_t k = tensors.size();
    tensors.push_back({count, gradients_absent && k % 3 == 1, bf16_copies && k % 2 == 0});
  }
  return tensors;
}

}  // namespace umbra
