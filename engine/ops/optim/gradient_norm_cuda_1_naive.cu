// One block per tensor adds its squares, one launch per tensor; one thread adds the sums of the tensors.
// Clipping: one launch per tensor, one thread per element.
#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/gradient_norm.h"

namespace umbra {
namespace {

struct Scratch {
  double sums[kElementThreads / kWarp];
};

// x [count], sum [1]
__global__ void squares_of_tensor(const float* x, double* sum, std::int64_t count) {
  double own = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    own += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  const double all = block_sum(own, shared_memory<Scratch>().sums);
  if (threadIdx.x == 0) *sum = all;
}

// sums [tensors], norm [1], factor [1]
__global__ void norm_of_sums(const double* sums, double* norm, float* factor, std::int64_t tensors,
                             double max_norm) {
  double sum = 0;
  for (std::int64_t k = 0; k < tensors; ++k) sum += sums[k];
  *norm = sqrt(sum);
  *factor = static_cast<float>(clip_factor(sqrt(sum), max_norm));
}

// x [count], factor [1]
__global__ void clip_each(float* x, const float* factor, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count && *factor != 1) x[i] = *factor * x[i];
}

void run_norm(const GradientNorm& op, Buffers buffers, void* workspace, Stream& stream) {
  auto* const sums = static_cast<double*>(workspace);
  const std::size_t tensors = op.tensors.size();
  for (std::size_t k = 0; k < tensors; ++k) {
    launch(squares_of_tensor, Grid{{1}, {kElementThreads}, sizeof(Scratch)}, stream.native(), buffers.in(k),
           sums + k, op.tensors[k].count);
  }
  launch(norm_of_sums, Grid{{1}, {1}}, stream.native(), sums, buffers.out<double>(tensors),
         buffers.out(tensors + 1), static_cast<std::int64_t>(tensors), op.max_norm);
}
std::size_t norm_workspace(const GradientNorm& op) {
  return op.tensors.size() * sizeof(double);
}

void run_clip(const Clip& op, Buffers buffers, void*, Stream& stream) {
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    launch(clip_each, one_thread_each(op.tensors[k].count), stream.native(), buffers.out(k), buffers.last(),
           op.tensors[k].count);
  }
}

}  // namespace

Kernel gradient_norm_cuda_1_naive() {
  return make_kernel<GradientNorm, run_norm, nullptr, norm_workspace>();
}
Kernel clip_cuda_1_naive() {
  return make_kernel<Clip, run_clip>();
}

}  // namespace umbra
