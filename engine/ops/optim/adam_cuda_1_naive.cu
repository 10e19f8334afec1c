// One launch per tensor, one thread per element.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/adam_cuda_element.h"

namespace umbra {
namespace {

// p, g, m, v, bf16_copy [count]; g is null where the gradient is absent, bf16_copy where there is none.
// scalars [3]
__global__ void adam_each(AdamScalars<float> all_steps, bool decoupled, float* p, const float* g, float* m,
                          float* v, Bf16* bf16_copy, const double* scalars, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const AdamScalars<float> s(all_steps, scalars);
  adam_element(s, decoupled, g == nullptr ? 0 : g[i], p[i], m[i], v[i]);
  if (bf16_copy != nullptr) bf16_copy[i] = Bf16(p[i]);
}

void run(const AdamStep& op, Buffers buffers, void*, Stream& stream) {
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const TensorSpec& tensor = op.tensors[k];
    const auto* g = tensor.gradient_absent ? nullptr : buffers.in(AdamStep::kBuffers * k + 1);
    auto* bf16_copy = tensor.bf16_copy ? buffers.out<Bf16>(AdamStep::kBuffers * k + 4) : nullptr;
    launch(adam_each, one_thread_each(tensor.count), stream.native(), AdamScalars<float>(op.rule),
           op.rule.decoupled, buffers.out(AdamStep::kBuffers * k), g, buffers.out(AdamStep::kBuffers * k + 2),
           buffers.out(AdamStep::kBuffers * k + 3), bf16_copy, buffers.last<double>(), tensor.count);
  }
}

}  // namespace

Kernel adam_step_cuda_1_naive() {
  return make_kernel<AdamStep, run>();
}

}  // namespace umbra
