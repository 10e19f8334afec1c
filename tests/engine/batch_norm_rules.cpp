// Batch normalisation in the gauntlet: its bounds.
#include "tests/engine/batch_norm_bounds.h"
#include "tests/engine/op_rules.h"

namespace umbra {

using gauntlet::bound, gauntlet::bound_of;

std::vector<gauntlet::OpRules> batch_norm_rules() {
  return {{.op = BatchNormForward::kName, .bound = bound<BatchNormForward, bound_of>},
          {.op = BatchNormInference::kName, .bound = bound<BatchNormInference, bound_of>},
          {.op = BatchNormBackward::kName, .bound = bound<BatchNormBackward, bound_of>},
          {.op = BatchNormFrozenBackward::kName, .bound = bound<BatchNormFrozenBackward, bound_of>}};
}

}  // namespace umbra
