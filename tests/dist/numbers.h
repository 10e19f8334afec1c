// Numbers that the processes of sums_test.cpp add: in the memory of the host (on_host.cpp), or each on an emulated GPU
// (tests/cuda/nccl/numbers_on_gpus.cpp).
#pragma once

#include <future>
#include <memory>
#include <vector>

namespace umbra {

class Numbers {
 public:
  virtual ~Numbers() = default;
  /// Starts to replace them by their sums. On a GPU they are not computed before somebody waits for them.
  virtual std::future<void> start_sum() = 0;
  virtual std::vector<float> values() = 0;
};

/// To be called by all processes.
std::unique_ptr<Numbers> make_numbers(const std::vector<float>& values);

}  // namespace umbra
