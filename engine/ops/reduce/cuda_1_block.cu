// One block: every thread adds every 1024th number, then the block its threads.
#include "engine/cuda/block_sum.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/op.h"
#include "engine/ops/reduce/terms.h"

namespace umbra {
namespace {

constexpr unsigned kThreads = 1024;

template <class Term, class Total>
__global__ void __launch_bounds__(kThreads) reduce_block(const float* x, Total* result, std::int64_t count) {
  Total sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) sum += Term()(x[i]);
  sum = block_sum(sum, &shared_memory<Total>());
  if (threadIdx.x == 0) *result = sum;
}

template <class Term>
void launch_block(std::int64_t count, Buffers buffers, const Stream& stream) {
  using Total = typename Term::Total;
  const Grid grid{{1}, {kThreads}, kThreads / kWarp * sizeof(Total)};
  launch(reduce_block<Term, Total>, grid, stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<Total*>(buffers[1]), count);
}

}  // namespace

void sum_cuda_1_block(const Sum& op, Buffers buffers, void*, Stream& stream) {
  launch_block<SumTerm>(op.count, buffers, stream);
}
void sum_squares_cuda_1_block(const SumSquares& op, Buffers buffers, void*, Stream& stream) {
  launch_block<SquareTerm>(op.count, buffers, stream);
}
void count_nonfinite_cuda_1_block(const CountNonfinite& op, Buffers buffers, void*, Stream& stream) {
  launch_block<NonfiniteTerm>(op.count, buffers, stream);
}

}  // namespace umbra
