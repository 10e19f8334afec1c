// The search for cuDNN's fastest plan for a convolution.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/cudnn_plans.h"

namespace umbra {

/// What a search found.
struct FoundPlan {
  std::vector<CudnnGraph> graphs;    // that the plans were made of
  std::vector<CudnnEngine> engines;  // kept as long as the plan
  std::vector<CudnnPlan> plan;       // one, or none
  DType output = DType::kF32;        // of the result in memory
  std::size_t workspace = 0;
  double seconds = 0;
  std::string text;  // what was chosen, and from how many; or why there is none
};

/// The plan for `op` on the current device, found by the first call for the problem and kept (peers.h:
/// PeerSearch).
const FoundPlan& find_cudnn_plan(const ConvOp& op, ConvPass pass);

}  // namespace umbra
