// Linear layers in the gauntlet: they round their operands.
#include "engine/ops/matmul/op.h"
#include "tests/engine/op_rules.h"

namespace umbra {

std::vector<gauntlet::OpRules> linear_rules() {
  return {{.op = LinearFprop::kName, .precision = gauntlet::precision<LinearOp>},
          {.op = LinearDgrad::kName, .precision = gauntlet::precision<LinearOp>},
          {.op = LinearWgrad::kName, .precision = gauntlet::precision<LinearOp>}};
}

}  // namespace umbra
