// The fixed affine map of columns: its definition, and cpu_1_simd, row by row, one vector of columns at a
// time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/affine.cpp"
#include "engine/ops/elementwise/affine.h"

#include "engine/cpu/simd.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void affine_rows(const float* x, const float* scale, const float* shift, float* y, std::int64_t rows,
                 std::int64_t columns) {
  for (std::int64_t n = 0; n < rows; ++n, x += columns, y += columns) {
    for_lanes<float>(columns, [&](auto d, std::int64_t b) HWY_ATTR {
      const auto scaled = hn::Mul(hn::LoadU(d, scale + b), hn::LoadU(d, x + b));
      hn::StoreU(shift == nullptr ? scaled : hn::Add(scaled, hn::LoadU(d, shift + b)), d, y + b);
    });
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(affine_rows);

/// y = scale x + shift, or y = scale x if shift is null.
void affine(std::int64_t rows, std::int64_t columns, const float* x, const float* scale, const float* shift,
            float* y) {
  parallel_chunks(rows, rows_per_chunk(columns), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(affine_rows)
    (x + begin * columns, scale, shift, y + begin * columns, end - begin, columns);
  });
}

void forward(const AffineForward& op, Buffers b, void*, Stream&) {
  affine(op.rows, op.columns, b.in(0), b.in(1), b.in(2), b.out(3));
}

void backward(const AffineBackward& op, Buffers b, void*, Stream&) {
  affine(op.rows, op.columns, b.in(0), b.in(1), nullptr, b.out(2));
}

}  // namespace

Ladder affine_forward_definition() {
  return define_op<AffineForward, affine_forward_reference<float>, affine_forward_reference<double>>(
      problems_of_matrices<AffineForward>);
}
Ladder affine_backward_definition() {
  return define_op<AffineBackward, affine_backward_reference<float>, affine_backward_reference<double>>(
      problems_of_matrices<AffineBackward>);
}
Kernel affine_forward_cpu_1_simd() {
  return make_kernel<AffineForward, forward>();
}
Kernel affine_backward_cpu_1_simd() {
  return make_kernel<AffineBackward, backward>();
}

}  // namespace umbra
#endif
