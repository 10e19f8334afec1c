// All three passes with precision tf32 or bf16: operands rounded into the workspace, products by cpu_1_gemm.
// The gradient of the biases is not a product but a sum of the unrounded dy.
#include "engine/ops/ladder.h"
#include "engine/ops/matmul/bias_gradient.h"
#include "engine/ops/matmul/op.h"
#include "engine/ops/shared/rounded_rung.h"

namespace umbra {
namespace {

std::int64_t inputs(const LinearOp& op) {
  return op.rows * op.in;
}
std::int64_t outputs(const LinearOp& op) {
  return op.rows * op.out;
}
std::int64_t weights(const LinearOp& op) {
  return op.out * op.in;
}

template <class O, Kernel (*Rung)(), std::int64_t (*First)(const LinearOp&),
          std::int64_t (*Second)(const LinearOp&)>
struct Rule {
  using Problem = O;
  static constexpr bool kBias = !std::is_same_v<O, LinearWgrad>;
  static Kernel rung(const O&) { return Rung(); }
  static O plain(const O& op) { return O(op.dtype, op.rows, op.in, op.out, op.bias && kBias); }
  static std::array<std::int64_t, 2> operands(const O& op) { return {First(op), Second(op)}; }
};

using Fprop = RoundedRung<Rule<LinearFprop, linear_fprop_cpu_1_gemm, inputs, weights>>;
using Dgrad = RoundedRung<Rule<LinearDgrad, linear_dgrad_cpu_1_gemm, outputs, weights>>;
using Wgrad = RoundedRung<Rule<LinearWgrad, linear_wgrad_cpu_1_gemm, inputs, outputs>>;

void wgrad(const LinearWgrad& op, Buffers b, void* memory, Stream& stream) {  // x, dy -> dw, db
  Wgrad::run(op, b, memory, stream);
  if (op.bias) linear_bias_gradient(op, b.in(1), b.out(3));
}

}  // namespace

Kernel linear_fprop_cpu_4_rounded() {
  return Fprop::kernel();
}
Kernel linear_dgrad_cpu_4_rounded() {
  return Dgrad::kernel();
}
Kernel linear_wgrad_cpu_4_rounded() {
  return make_kernel<LinearWgrad, wgrad, Wgrad::declines, Wgrad::workspace>();
}

}  // namespace umbra
