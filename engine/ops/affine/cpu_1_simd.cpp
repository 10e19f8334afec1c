// The fixed affine map of columns, row by row, one vector of columns at a time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/affine/cpu_1_simd.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/affine/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/simd_loops.h"

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

HWY_EXPORT(affine_rows);

namespace {

void affine(std::int64_t rows, std::int64_t columns, const void* x, const void* scale, const void* shift,
            void* y) {
  const std::int64_t grain = rows_per_chunk(columns);
  parallel_chunks(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(affine_rows)
    (static_cast<const float*>(x) + begin * columns, static_cast<const float*>(scale),
     static_cast<const float*>(shift), static_cast<float*>(y) + begin * columns, end - begin, columns);
  });
}

}  // namespace

void affine_forward_simd(const AffineForward& op, Buffers buffers, void*, Stream&) {
  affine(op.rows, op.columns, buffers[0], buffers[1], buffers[2], buffers[3]);
}

void affine_backward_simd(const AffineBackward& op, Buffers buffers, void*, Stream&) {
  affine(op.rows, op.columns, buffers[0], buffers[1], nullptr, buffers[2]);
}

}  // namespace umbra
#endif
