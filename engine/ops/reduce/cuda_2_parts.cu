// Two launches: blocks write the sums of their parts of the buffer to the workspace, and one block adds
// them. A part is a run of 2^13 numbers, or a 1024th of the buffer where that is more, on any GPU. There
// are four numbers per load where the buffer starts at a multiple of 16 bytes; elsewhere a thread adds the
// same numbers in the same order. A buffer of one part needs only one launch.
#include <algorithm>

#include "engine/cuda/tile/channel_walk.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/cuda_terms.h"
#include "engine/ops/reduce/op.h"

namespace umbra {
namespace {

constexpr unsigned kThreads = 256, kAhead = 4;
constexpr std::int64_t kLeastFours = 1 << 11, kMostParts = 1024;

/// Counts of groups of four: of the whole buffer, rounded up, and of a part.
struct Parts {
  explicit Parts(std::int64_t count)
      : fours((count + 3) / 4),
        each(std::max(kLeastFours, (fours + kMostParts - 1) / kMostParts)),
        parts(std::max<std::int64_t>(1, (fours + each - 1) / each)) {}
  std::int64_t fours, each, parts;
};

/// Four numbers from 4 i on, zeros after the end.
__device__ Unit<4> four_at(const float* x, std::int64_t i, std::int64_t count, bool aligned) {
  if (4 * i + 4 <= count) return load_unit<4>(x + 4 * i, aligned);
  Unit<4> unit{};
  for (int k = 0; k < 4 && 4 * i + k < count; ++k) unit.v[k] = x[4 * i + k];
  return unit;
}

template <class Term, class Total>
__global__ void __launch_bounds__(kThreads)
    reduce_part(const float* x, Total* sums, std::int64_t count, std::int64_t each, bool aligned) {
  const std::int64_t begin = blockIdx.x * each;
  const std::int64_t end = begin + each < (count + 3) / 4 ? begin + each : (count + 3) / 4;
  Total sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kAhead * kThreads) {
    Unit<4> held[kAhead];
    for (unsigned k = 0; k < kAhead; ++k) {
      held[k] = i + k * kThreads < end ? four_at(x, i + k * kThreads, count, aligned) : Unit<4>{};
    }
    for (const Unit<4>& unit : held) {
      for (float value : unit.v) sum += Term()(value);
    }
  }
  sum = block_sum(sum, &shared_memory<Total>());
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class Total>
__global__ void __launch_bounds__(kThreads)
    reduce_finish(const Total* sums, Total* result, std::int64_t parts) {
  Total sum = 0;
  for (std::int64_t p = threadIdx.x; p < parts; p += kThreads) sum += sums[p];
  sum = block_sum(sum, &shared_memory<Total>());
  if (threadIdx.x == 0) *result = sum;
}

template <class Term>
void run(const Reduction& op, Buffers buffers, void* workspace, Stream& stream) {
  using Total = typename Term::Total;
  const auto* x = buffers.in(0);
  auto* result = buffers.out<Total>(1);
  const Parts cut(op.count);
  Total* sums = cut.parts == 1 ? result : static_cast<Total*>(workspace);
  constexpr std::size_t kShared = kThreads / kWarp * sizeof(Total);
  launch(reduce_part<Term, Total>, Grid{{static_cast<unsigned>(cut.parts)}, {kThreads}, kShared},
         stream.native(), x, sums, op.count, cut.each, aligned_to_16(x));
  if (cut.parts == 1) return;
  launch(reduce_finish<Total>, Grid{{1}, {kThreads}, kShared}, stream.native(), sums, result, cut.parts);
}

/// One sum of type Total per part.
template <class Total>
std::size_t partial_bytes(const Reduction& op) {
  const Parts cut(op.count);
  return cut.parts == 1 ? 0 : static_cast<std::size_t>(cut.parts) * sizeof(Total);
}

}  // namespace

Kernel sum_cuda_2_parts() {
  return make_kernel<Sum, run<SumTerm>, nullptr, partial_bytes<double>>();
}
Kernel sum_squares_cuda_2_parts() {
  return make_kernel<SumSquares, run<SquareTerm>, nullptr, partial_bytes<double>>();
}
Kernel count_nonfinite_cuda_2_parts() {
  return make_kernel<CountNonfinite, run<NonfiniteTerm>, nullptr, partial_bytes<std::int64_t>>();
}

}  // namespace umbra
