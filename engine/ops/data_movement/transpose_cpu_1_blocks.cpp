// Between [N, C, S] and [S, C, N] in blocks of a vector of rows by four columns: a vector gathers four
// columns of every fourth row, so that a 4 x 4 transposition inside every 128 bits of it gives whole
// vectors of the result. Reads are runs of four floats in as many streams as a vector has lanes, writes are
// whole vectors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/data_movement/transpose_cpu_1_blocks.cpp"
#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/ops/data_movement/transpose.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/chunks.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_SCALAR  // which has no 128 bits to shuffle
/// Four floats of the rows 0, 4, 8, … at p, one row per four lanes of d.
template <class D>
HWY_INLINE hn::Vec<D> load_fours(D d, const float* p, std::int64_t stride) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    const auto rows = static_cast<std::int64_t>(hn::MaxLanes(half));
    return hn::Combine(d, load_fours(half, p + rows * stride, stride), load_fours(half, p, stride));
  }
}

/// y[k * to + r] = x[r * from + k] for k < 4 and the lanes r of d.
template <class D>
HWY_INLINE void transpose_block(D d, const float* x, std::int64_t from, float* y, std::int64_t to) {
  const hn::Repartition<double, D> pairs;
  const auto a = load_fours(d, x, from), b = load_fours(d, x + from, from);
  const auto c = load_fours(d, x + 2 * from, from), e = load_fours(d, x + 3 * from, from);
  const auto ab01 = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
  const auto ab23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto ce01 = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
  const auto ce23 = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab01, ce01)), d, y);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab01, ce01)), d, y + to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab23, ce23)), d, y + 2 * to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab23, ce23)), d, y + 3 * to);
}
#endif

/// y[k * to + r] = x[r * from + k] for r < rows and k < columns.
void transpose_matrix(const float* x, std::int64_t from, float* y, std::int64_t to, std::int64_t rows,
                      std::int64_t columns) {
  std::int64_t r = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<float> wide;
  const hn::CappedTag<float, 4> narrow;
  const std::int64_t whole = columns / 4 * 4;
  const auto strip = [&](auto d, std::int64_t first) HWY_ATTR {
    for (std::int64_t k = 0; k < whole; k += 4)
      transpose_block(d, x + first * from + k, from, y + k * to + first, to);
    for (std::int64_t k = whole; k < columns; ++k) {
      for (std::size_t l = 0; l < hn::Lanes(d); ++l) {
        const std::int64_t row = first + static_cast<std::int64_t>(l);
        y[k * to + row] = x[row * from + k];
      }
    }
  };
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  for (; r + lanes <= rows; r += lanes) strip(wide, r);
  for (; r + 4 <= rows; r += 4) strip(narrow, r);
#endif
  for (; r < rows; ++r) {
    for (std::int64_t k = 0; k < columns; ++k) y[k * to + r] = x[r * from + k];
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(transpose_matrix);

namespace {

void run(const Transpose& op, Buffers buffers, void*, Stream&) {
  const float* x = buffers.in(0);  // [rows, matrices, columns]
  float* y = buffers.out(1);       // [columns, matrices, rows]
  std::int64_t rows = op.batch, matrices = op.channels, columns = op.volume;
  if (op.to == TransposeTo::kSampleFirst) std::swap(rows, columns);
  if (columns == 1) std::swap(columns, matrices);  // one matrix instead of many with one column
  if (rows == 1) std::swap(rows, matrices);
  if (rows * matrices * columns == 0) return;
  // Columns per task, so that the lines that a task writes stay in cache until they are full.
  constexpr std::int64_t kColumns = 64;
  const std::int64_t strips = (columns + kColumns - 1) / kColumns;
  parallel_chunks(matrices * strips, rows_per_chunk(rows * kColumns),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t matrix = i / strips, k = i % strips * kColumns;
                      HWY_DYNAMIC_DISPATCH(transpose_matrix)
                      (x + matrix * columns + k, matrices * columns, y + (k * matrices + matrix) * rows,
                       matrices * rows, rows, std::min(kColumns, columns - k));
                    }
                  });
}

}  // namespace

Kernel transpose_cpu_1_blocks() {
  return make_kernel<Transpose, run>();
}

}  // namespace umbra
#endif
