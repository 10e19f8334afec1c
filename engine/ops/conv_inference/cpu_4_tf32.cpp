// Precision tf32: operands rounded into the workspace, products by cpu_1_tiles. No CPU has an instruction for
// it; this is what a GPU computes, for tests.
#include "engine/ops/conv_inference/rungs.h"
#include "engine/ops/rounded_rung.h"

namespace umbra {
namespace {

struct Rule {
  using Problem = ConvInference;
  static Kernel rung() { return conv_inference_cpu_1_tiles(); }
  static ConvInference plain(const ConvInference& op) {
    return {op.dtype, op.geometry, op.epsilon, op.relu, op.residual};
  }
  static std::array<std::int64_t, 2> operands(const ConvInference& op) {
    const ConvGeometry& g = op.geometry;
    return {g.batch * g.in_channels * g.in_volume(), g.live_taps() * g.in_channels * g.out_channels};
  }
};
using Rounded = RoundedRung<Rule>;

std::string declines(const ConvInference& op) {
  return op.precision == Precision::kTf32 ? Rounded::declines(op) : "it computes with precision tf32 only";
}

}  // namespace

Kernel conv_inference_cpu_4_tf32() {
  return make_kernel<ConvInference, Rounded::run, declines, Rounded::workspace>("conv_inference",
                                                                                "cpu_4_tf32", DType::kF32);
}

}  // namespace umbra
