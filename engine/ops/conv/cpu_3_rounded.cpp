// All three passes with precision tf32 or bf16: operands rounded into the workspace, products by cpu_2_tiles.
#include "engine/ops/conv/rungs.h"
#include "engine/ops/rounded_rung.h"

namespace umbra {
namespace {

std::int64_t inputs(const ConvGeometry& g) {
  return g.batch * g.in_channels * g.in_volume();
}
std::int64_t outputs(const ConvGeometry& g) {
  return g.batch * g.out_channels * g.out_volume();
}
std::int64_t weights(const ConvGeometry& g) {
  return g.live_taps() * g.in_channels * g.out_channels;
}

template <class O, Kernel (*Rung)(), std::int64_t (*First)(const ConvGeometry&),
          std::int64_t (*Second)(const ConvGeometry&)>
struct Rule {
  using Problem = O;
  static Kernel rung() { return Rung(); }
  static O plain(const O& op) { return O(op.dtype, op.geometry); }
  static std::array<std::int64_t, 2> operands(const O& op) {
    return {First(op.geometry), Second(op.geometry)};
  }
};

}  // namespace

Kernel conv_fprop_cpu_3_rounded() {
  return RoundedRung<Rule<ConvFprop, conv_fprop_cpu_2_tiles, inputs, weights>>::kernel("conv_fprop",
                                                                                       "cpu_3_rounded");
}
Kernel conv_dgrad_cpu_3_rounded() {
  return RoundedRung<Rule<ConvDgrad, conv_dgrad_cpu_2_tiles, outputs, weights>>::kernel("conv_dgrad",
                                                                                        "cpu_3_rounded");
}
Kernel conv_wgrad_cpu_3_rounded() {
  return RoundedRung<Rule<ConvWgrad, conv_wgrad_cpu_2_tiles, inputs, outputs>>::kernel("conv_wgrad",
                                                                                       "cpu_3_rounded");
}

}  // namespace umbra
