// One launch per tensor, one thread per element.
#include "engine/cuda/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/sgd/cuda_element.h"
#include "engine/ops/sgd/op.h"

namespace umbra {
namespace {

// p, g, v, image [count]; g is null where the gradient is absent, v without momentum, image where there is
// none. lr [1]
__global__ void sgd_each(SgdNumbers s, float* p, const float* g, float* v, Bf16* image, const double* lr,
                         std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const float step = sgd_velocity(s, p[i], g == nullptr ? 0 : g[i], v == nullptr ? 0 : v[i]);
  if (v != nullptr) v[i] = step;
  p[i] = fmaf(static_cast<float>(-*lr), step, p[i]);
  if (image != nullptr) image[i] = Bf16(p[i]);
}

}  // namespace

void sgd_step_cuda_1_naive(const SgdStep& op, Buffers buffers, void*, Stream& stream) {
  const SgdNumbers numbers{static_cast<float>(op.momentum), static_cast<float>(op.weight_decay)};
  for (std::size_t k = 0; k < op.parts.size(); ++k) {
    const Part& part = op.parts[k];
    const auto* g =
        part.gradient_absent ? nullptr : static_cast<const float*>(buffers[SgdStep::kBuffers * k + 1]);
    auto* v = op.momentum == 0 ? nullptr : static_cast<float*>(buffers[SgdStep::kBuffers * k + 2]);
    auto* image = part.image ? static_cast<Bf16*>(buffers[SgdStep::kBuffers * k + 3]) : nullptr;
    launch(sgd_each, one_thread_each(part.count), stream.native(), numbers,
           static_cast<float*>(buffers[SgdStep::kBuffers * k]), g, v, image,
           static_cast<const double*>(buffers.back()), part.count);
  }
}

}  // namespace umbra
