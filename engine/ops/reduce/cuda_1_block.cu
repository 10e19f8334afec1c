// One block: every thread adds every 1024th number, then the block adds the sums of its threads.
#include "engine/cuda/tile/block_fold.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/cuda_terms.h"
#include "engine/ops/reduce/op.h"

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
void run(const Reduction& op, Buffers buffers, void*, Stream& stream) {
  using Total = typename Term::Total;
  const Grid grid{{1}, {kThreads}, kThreads / kWarp * sizeof(Total)};
  launch(reduce_block<Term, Total>, grid, stream.native(), buffers.in(0), buffers.out<Total>(1), op.count);
}

}  // namespace

Kernel sum_cuda_1_block() {
  return make_kernel<Sum, run<SumTerm>>();
}
Kernel sum_squares_cuda_1_block() {
  return make_kernel<SumSquares, run<SquareTerm>>();
}
Kernel count_nonfinite_cuda_1_block() {
  return make_kernel<CountNonfinite, run<NonfiniteTerm>>();
}

}  // namespace umbra
