// One launch per tensor, one thread per element.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/sgd.h"
#include "engine/ops/optim/sgd_cuda_element.h"

namespace umbra {
namespace {

// p, g, v, bf16_copy [count]; g is null where the gradient is absent, v without momentum, bf16_copy where
// there is none. lr [1], share [1] or null
__global__ void sgd_each(SgdNumbers s, float* p, const float* g, float* v, Bf16* bf16_copy, const double* lr,
                         const double* share, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  float parameter = p[i], velocity = v == nullptr ? 0 : v[i];
  sgd_element(s, static_cast<float>(-*lr), share == nullptr ? 1 : static_cast<float>(*share), parameter,
              g == nullptr ? 0 : g[i], velocity);
  if (v != nullptr) v[i] = velocity;
  p[i] = parameter;
  if (bf16_copy != nullptr) bf16_copy[i] = Bf16(parameter);
}

void run(const SgdStep& op, Buffers buffers, void*, Stream& stream) {
  const SgdNumbers numbers(op.rule);
  const double* scalars = buffers.last<double>();
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const TensorSpec& tensor = op.tensors[k];
    const auto* g = tensor.gradient_absent ? nullptr : buffers.in(SgdStep::kBuffers * k + 1);
    auto* v = op.rule.momentum == 0 ? nullptr : buffers.out(SgdStep::kBuffers * k + 2);
    auto* bf16_copy = tensor.bf16_copy ? buffers.out<Bf16>(SgdStep::kBuffers * k + 3) : nullptr;
    launch(sgd_each, one_thread_each(tensor.count), stream.native(), numbers,
           buffers.out(SgdStep::kBuffers * k), g, v, bf16_copy, scalars, sgd_share(op, k, scalars),
           tensor.count);
  }
}

}  // namespace

Kernel sgd_step_cuda_1_naive() {
  return make_kernel<SgdStep, run>();
}

}  // namespace umbra
