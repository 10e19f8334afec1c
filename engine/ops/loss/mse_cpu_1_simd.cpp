// The squared error: one pass, the loss summed in double over chunks of fixed size in index order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/loss/mse_cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

double mean_squared_error_range(const float* p, const float* t, float* dp, double scale, std::int64_t count) {
  WideSums<1> sums;
  sums.add(count, [&](auto dd, std::int64_t i, auto* acc) HWY_ATTR {
    const auto error = hn::Sub(load_wide(dd, p + i), load_wide(dd, t + i));
    acc[0] = hn::MulAdd(error, error, acc[0]);
    const hn::Rebind<float, decltype(dd)> df;
    hn::StoreU(hn::DemoteTo(df, hn::Mul(error, hn::Set(dd, scale))), df, dp + i);
  });
  return sums.total(0);
}

void squared_errors_range(const float* p, const float* t, float* loss, float* dp, std::int64_t count) {
  for_lanes<double>(count, [&](auto dd, std::int64_t i) HWY_ATTR {
    const auto error = hn::Sub(load_wide(dd, p + i), load_wide(dd, t + i));
    const hn::Rebind<float, decltype(dd)> df;
    hn::StoreU(hn::DemoteTo(df, hn::Mul(error, error)), df, loss + i);
    hn::StoreU(hn::DemoteTo(df, hn::Add(error, error)), df, dp + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(mean_squared_error_range);
HWY_EXPORT(squared_errors_range);

namespace {

void run(const MeanSquaredError& op, Buffers buffers, void* workspace, Stream&) {
  const float* p = buffers.in(0);  // [N, K]
  const float* t = buffers.in(1);  // [N, K]
  float* loss = buffers.out(2);    // [1] or, not reduced, [N, K]
  float* dp = buffers.out(3);      // [N, K]
  const std::int64_t count = op.rows * op.columns;
  if (op.reduce == Reduce::kNone) {
    parallel_chunks(count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(squared_errors_range)(p + begin, t + begin, loss + begin, dp + begin, end - begin);
    });
    return;
  }
  const double terms = op.divisor();
  const double sum =
      sum_over_chunks(count, static_cast<double*>(workspace), [&](std::int64_t begin, std::int64_t end) {
        return HWY_DYNAMIC_DISPATCH(mean_squared_error_range)(p + begin, t + begin, dp + begin, 2 / terms,
                                                              end - begin);
      });
  *loss = static_cast<float>(sum / terms);
}

std::size_t workspace_bytes(const MeanSquaredError& op) {
  return static_cast<std::size_t>(chunk_count(op.rows * op.columns)) * sizeof(double);
}

}  // namespace

Kernel mean_squared_error_cpu_1_simd() {
  return make_kernel<MeanSquaredError, run, nullptr, workspace_bytes>();
}

}  // namespace umbra
#endif
