// One launch per part, one thread per number: neighbouring threads read and write neighbouring addresses.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/data_movement/concatenate.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

__global__ void __launch_bounds__(kElementThreads) copy_each(RowCopy c) {
  const std::int64_t i = thread_number();
  if (i >= c.count) return;
  const std::int64_t row = i / c.row, column = i % c.row;
  c.to[row * c.to_stride + column] = c.from[row * c.from_stride + column];
}

template <class O>
void run(const O& op, Buffers b, void*, Stream& stream) {
  for_copies(op, b,
             [&](const RowCopy& c) { launch(copy_each, one_thread_each(c.count), stream.native(), c); });
}

}  // namespace

Kernel concatenate_cuda_1_naive() {
  return make_kernel<Concatenate, run<Concatenate>>();
}
Kernel split_cuda_1_naive() {
  return make_kernel<Split, run<Split>>();
}

}  // namespace umbra
