// Movements of data in the gauntlet: gather_boxes gets windows as a data set draws them.
#include <array>

#include "engine/ops/data_movement/gather_boxes.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Values;

/// Boxes that exist, a permutation of the axes, shifts below the extent.
void fit_windows(const GatherBoxes& op, const Rng& rng, Values& in) {
  constexpr std::array<std::array<int, 3>, 6> kOrders = {
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  std::vector<double>& numbers = in[1];
  std::uint64_t draw = 0;
  const auto below = [&](std::int64_t bound) {
    return static_cast<double>(rng.below(draw++, static_cast<std::uint64_t>(bound)));
  };
  std::size_t at = 0;
  for (std::int64_t n = 0; n < op.batch; ++n) {
    for (int k = 0; k < 8; ++k) numbers[at++] = below(op.boxes);
    const auto order = kOrders[static_cast<std::size_t>(below(6))];
    for (int axis : order) numbers[at++] = axis;
    for (int a = 0; a < 3; ++a) numbers[at++] = below(2);
    for (int a = 0; a < 3; ++a) numbers[at++] = below(2 * op.voxels - 1) - static_cast<double>(op.voxels - 1);
  }
}

}  // namespace

std::vector<gauntlet::OpRules> data_movement_rules() {
  return {{.op = GatherBoxes::kName, .fill = gauntlet::fill<GatherBoxes, fit_windows>}};
}

}  // namespace umbra
