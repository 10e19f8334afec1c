// One launch per tensor, one thread per element; each thread works out the scalars for itself.
#include "engine/cuda/indexing.h"
#include "engine/ops/adam/cuda_element.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// p, g, m, v, image [count]; g is null where the gradient is absent, image where there is none. scalars [3]
__global__ void adam_each(AdamRule rule, float* p, const float* g, float* m, float* v, Bf16* image,
                          const double* scalars, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const AdamScalars<float> s(rule, scalars);
  adam_element(s, rule.decoupled, g == nullptr ? 0 : g[i], p[i], m[i], v[i]);
  if (image != nullptr) image[i] = Bf16(p[i]);
}

}  // namespace

void adam_step_cuda_1_naive(const AdamStep& op, Buffers buffers, void*, Stream& stream) {
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    const Part& part = op.parts[k];
    const auto* g =
        part.gradient_absent ? nullptr : static_cast<const float*>(buffers[AdamStep::kBuffers * k + 1]);
    auto* image = part.image ? static_cast<Bf16*>(buffers[AdamStep::kBuffers * k + 4]) : nullptr;
    launch(adam_each, one_thread_each(part.count), stream.native(), op.rule,
           static_cast<float*>(buffers[AdamStep::kBuffers * k]), g,
           static_cast<float*>(buffers[AdamStep::kBuffers * k + 2]),
           static_cast<float*>(buffers[AdamStep::kBuffers * k + 3]), image,
           static_cast<const double*>(buffers.back()), part.count);
  }
}

}  // namespace umbra
