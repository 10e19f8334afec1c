// Reductions in the gauntlet: count_nonfinite gets something to count.
#include <limits>

#include "engine/ops/reduce/op.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Values;

void add_nonfinite(const CountNonfinite&, const Rng&, Values& in) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t i = 3; i < in[0].size(); i += 7) {
    in[0][i] = i % 3 == 0 ? kInfinity : i % 3 == 1 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace

std::vector<gauntlet::OpRules> reduce_rules() {
  return {{.op = CountNonfinite::kName, .fill = gauntlet::fill<CountNonfinite, add_nonfinite>}};
}

}  // namespace umbra
