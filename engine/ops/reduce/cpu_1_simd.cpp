// Whole-buffer reductions: chunks of fixed size in parallel, their sums in double added in index order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/reduce/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/op.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

double sum_range(const float* x, std::int64_t count) {
  WideSums<1> sums;
  sums.add(count, [&](auto dd, std::int64_t i, auto* acc)
                      HWY_ATTR { acc[0] = hn::Add(acc[0], load_wide(dd, x + i)); });
  return sums.total(0);
}

double sum_squares_range(const float* x, std::int64_t count) {
  WideSums<1> sums;
  sums.add(count, [&](auto dd, std::int64_t i, auto* acc) HWY_ATTR {
    const auto v = load_wide(dd, x + i);
    acc[0] = hn::MulAdd(v, v, acc[0]);
  });
  return sums.total(0);
}

std::int64_t count_nonfinite_range(const float* x, std::int64_t count) {
  std::int64_t finite = 0;
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    finite += static_cast<std::int64_t>(hn::CountTrue(d, hn::IsFinite(hn::LoadU(d, x + i))));
  });
  return count - finite;
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(sum_range);
HWY_EXPORT(sum_squares_range);
HWY_EXPORT(count_nonfinite_range);

namespace {

void sum(const Sum& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);
  *buffers.out<double>(1) =
      sum_over_chunks(op.count, static_cast<double*>(workspace), [&](std::int64_t begin, std::int64_t end) {
        return HWY_DYNAMIC_DISPATCH(sum_range)(x + begin, end - begin);
      });
}

void sum_squares(const SumSquares& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);
  *buffers.out<double>(1) =
      sum_over_chunks(op.count, static_cast<double*>(workspace), [&](std::int64_t begin, std::int64_t end) {
        return HWY_DYNAMIC_DISPATCH(sum_squares_range)(x + begin, end - begin);
      });
}

void count_nonfinite(const CountNonfinite& op, Buffers buffers, void* workspace, Stream&) {
  const float* x = buffers.in(0);
  *buffers.out<std::int64_t>(1) = sum_over_chunks(
      op.count, static_cast<std::int64_t*>(workspace), [&](std::int64_t begin, std::int64_t end) {
        return HWY_DYNAMIC_DISPATCH(count_nonfinite_range)(x + begin, end - begin);
      });
}

/// One partial result of type Total per chunk.
template <class Total>
std::size_t partial_bytes(const Reduction& op) {
  return static_cast<std::size_t>(chunk_count(op.count)) * sizeof(Total);
}

}  // namespace

Kernel sum_cpu_1_simd() {
  return make_kernel<Sum, sum, nullptr, partial_bytes<double>>();
}
Kernel sum_squares_cpu_1_simd() {
  return make_kernel<SumSquares, sum_squares, nullptr, partial_bytes<double>>();
}
Kernel count_nonfinite_cpu_1_simd() {
  return make_kernel<CountNonfinite, count_nonfinite, nullptr, partial_bytes<std::int64_t>>();
}

}  // namespace umbra
#endif
