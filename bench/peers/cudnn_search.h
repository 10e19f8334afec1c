// The search for cuDNN's fastest plan for a convolution.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/cudnn_plans.h"

namespace umbra {

/// The result of a search.
struct FoundPlan {
  std::vector<CudnnGraph> graphs;    // from which the plans were made
  std::vector<CudnnEngine> engines;  // kept as long as the plan
  std::vector<CudnnPlan> plan;       // one, or none
  DType output = DType::kF32;        // of the result in memory
  std::size_t workspace = 0;
  double seconds = 0;
  std::string text;  // the chosen plan and the number of candidates, or why there is none
};

/// The plan for `op` on the current device. The first call for a problem searches; the result is kept
/// (peers.h: PeerSearch).
const FoundPlan& find_cudnn_plan(const ConvOp& op, ConvPass pass);

}  // namespace umbra
