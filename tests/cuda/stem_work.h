// How often the warps of the stem's kernels go round their innermost loops: the input of the model in tools/sass.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/ops/stem/op.h"

namespace umbra::cuda_test {

/// Of rung cuda_2_lanes, per kernel: [[blocks that are alike, warps of a block, turns of its busiest warp], …].
nlohmann::json stem_forward_turns(const StemGeometry& geometry);
nlohmann::json stem_backward_turns(const StemGeometry& geometry);

}  // namespace umbra::cuda_test
