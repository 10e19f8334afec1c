// All three passes, and inference, with precision tf32 or bf16: operands are rounded into the workspace,
// products computed by cpu_2_tiles, with groups by cpu_1_lanes. Inference of one group supports only tf32,
// for which no CPU has an instruction; for bf16 there is cpu_5_bf16_wide.
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/ladder.h"
#include "engine/ops/shared/rounded_rung.h"

namespace umbra {
namespace {

std::int64_t inputs(const ConvGeometry& g) {
  return g.batch * g.in_channels * g.in_volume();
}
std::int64_t outputs(const ConvGeometry& g) {
  return g.batch * g.out_channels * g.out_volume();
}
std::int64_t weights(const ConvGeometry& g) {
  return g.weights();
}

template <class O, Kernel (*Tiles)(), Kernel (*Lanes)(), std::int64_t (*First)(const ConvGeometry&),
          std::int64_t (*Second)(const ConvGeometry&)>
struct Rule {
  using Problem = O;
  static Kernel rung(const O& op) { return op.geometry.groups == 1 ? Tiles() : Lanes(); }
  static O plain(const O& op) {
    if constexpr (std::is_same_v<O, ConvInference>) {
      return O(op.dtype, op.geometry, op.epsilon, op.relu, op.residual);
    } else {
      O made(op.dtype, op.geometry);
      if constexpr (std::is_same_v<O, ConvDgrad>) made.addend = op.addend;
      return made;
    }
  }
  static std::array<std::int64_t, 2> operands(const O& op) {
    return {First(op.geometry), Second(op.geometry)};
  }
};

using Fprop = RoundedRung<Rule<ConvFprop, conv_fprop_cpu_2_tiles, conv_fprop_cpu_1_lanes, inputs, weights>>;
using Dgrad = RoundedRung<Rule<ConvDgrad, conv_dgrad_cpu_2_tiles, conv_dgrad_cpu_1_lanes, outputs, weights>>;
using Wgrad = RoundedRung<Rule<ConvWgrad, conv_wgrad_cpu_2_tiles, conv_wgrad_cpu_1_lanes, inputs, outputs>>;
using Inference =
    RoundedRung<Rule<ConvInference, conv_inference_cpu_2_tiles, conv_inference_cpu_1_lanes, inputs, weights>>;

template <class Rung>
Kernel pass() {
  return make_kernel<typename Rung::O, Rung::run, Rung::declines, Rung::workspace>();
}

std::string inference_declines(const ConvInference& op) {
  const bool takes = op.precision == Precision::kTf32 || op.geometry.groups != 1;
  return takes ? Inference::declines(op) : "it computes with precision tf32 only";
}

}  // namespace

Kernel conv_fprop_cpu_4_rounded() {
  return pass<Fprop>();
}
Kernel conv_dgrad_cpu_4_rounded() {
  return pass<Dgrad>();
}
Kernel conv_wgrad_cpu_4_rounded() {
  return pass<Wgrad>();
}
Kernel conv_inference_cpu_4_rounded() {
  return make_kernel<ConvInference, Inference::run, inference_declines, Inference::workspace>();
}

}  // namespace umbra
