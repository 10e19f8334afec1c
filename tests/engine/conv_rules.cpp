// Convolutions in the gauntlet: they round their operands, the largest are left out on an emulated GPU, and
// the fused op of inference has its own bound.
#include <algorithm>
#include <cmath>

#include "engine/cpu/bf16_tile.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/reference.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::Values;
using gauntlet::magnitudes_of_outputs, gauntlet::usual_growth;

/// The convolution's sums of absolute values and the mean, both scaled, since a rung may fold the mean into a
/// shift; the rest is the bound of batch_norm.
Bound bound_of_inference(const ConvInference& op, const Values& in, const Values& want) {
  const ConvGeometry& g = op.geometry;
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  std::vector<double> x = in[0], w = in[1], sums(want[7].size());
  const auto size = [&](double& value) { value = std::abs(rounded_to(op.precision, value)); };
  std::for_each(x.begin(), x.end(), size);
  std::for_each(w.begin(), w.end(), size);
  conv_fprop_reference(g, x.data(), w.data(), sums.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t c = i / static_cast<std::size_t>(g.batch) % in[2].size();
    const double scale = std::abs(in[2][c]) / std::sqrt(in[5][c] + op.epsilon);
    bound.magnitude[7][i] = scale * (sums[i] + std::abs(in[4][c])) + std::abs(in[3][c]);
    if (op.residual) bound.magnitude[7][i] += std::abs(in[6][i]);
  }
  return bound;
}

std::int64_t tiles(const ConvGeometry& g) {
  const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  return up(g.live_pairs(), 2) * up(g.batch, 32) *
         std::max(up(g.in_channels, 64) * up(g.out_channels, 128),
                  up(g.out_channels, 64) * up(g.in_channels, 128));
}
std::int64_t pass_tiles(const Op& op) {
  return tiles(static_cast<const ConvOp&>(op).geometry);
}
/// Five times as many tiles: every geometry occurs in several precisions, with and without ReLU and residual.
std::int64_t inference_tiles(const Op& op) {
  return 5 * tiles(static_cast<const ConvInference&>(op).geometry);
}

std::string cannot_run(const Kernel& kernel) {
  const bool needs_dot_product = kernel.rung == "cpu_6_bf16";
  return needs_dot_product && !bf16_tile_supported() ? "this CPU has no bfloat16 dot product" : "";
}

template <class O>
gauntlet::OpRules rules_of_pass() {
  return {.op = O::kName,
          .precision = gauntlet::precision<ConvOp>,
          .emulated_tiles = pass_tiles,
          .cannot_run = cannot_run};
}

}  // namespace

std::vector<gauntlet::OpRules> conv_rules() {
  return {rules_of_pass<ConvFprop>(),
          rules_of_pass<ConvDgrad>(),
          rules_of_pass<ConvWgrad>(),
          {.op = ConvInference::kName,
           .bound = bound<ConvInference, bound_of_inference>,
           .precision = gauntlet::precision<ConvInference>,
           .emulated_tiles = inference_tiles,
           .cannot_run = cannot_run}};
}

}  // namespace umbra
