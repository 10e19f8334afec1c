// Blocks of 4 rows and a vector of columns at a time, compiled once per instruction set (engine/cpu/simd.h).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/transpose.cpp"
#include "engine/cpu/transpose.h"

#include <hwy/cache_control.h>

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));

void transpose_plain(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row) {
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) to[c * to_row + r] = from[r * from_row + c];
  }
}

#if HWY_TARGET != HWY_SCALAR
// Transposes four rows of one vector each into columns of four.
HWY_INLINE void transpose_4_rows(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  const Floats d;
  const hn::Full128<float> four;
  const auto row0 = hn::LoadU(d, from), row1 = hn::LoadU(d, from + from_row);
  const auto row2 = hn::LoadU(d, from + 2 * from_row), row3 = hn::LoadU(d, from + 3 * from_row);
  const auto low02 = hn::InterleaveLower(d, row0, row2), low13 = hn::InterleaveLower(d, row1, row3);
  const auto high02 = hn::InterleaveUpper(d, row0, row2), high13 = hn::InterleaveUpper(d, row1, row3);
  HWY_ALIGN float columns[4 * kLanes];  // [column mod 4][column / 4][row]
  hn::Store(hn::InterleaveLower(d, low02, low13), d, columns);
  hn::Store(hn::InterleaveUpper(d, low02, low13), d, columns + kLanes);
  hn::Store(hn::InterleaveLower(d, high02, high13), d, columns + 2 * kLanes);
  hn::Store(hn::InterleaveUpper(d, high02, high13), d, columns + 3 * kLanes);
#pragma GCC unroll 4
  for (std::int64_t block = 0; block < kLanes / 4; ++block) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j, to += to_row) {
      hn::StoreU(hn::Load(four, columns + j * kLanes + block * 4), four, to);
    }
  }
}
#endif

void run_transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                   float* to, std::int64_t to_row, std::int64_t width) {
  std::int64_t rows_done = 0, columns_done = 0;
#if HWY_TARGET != HWY_SCALAR
  rows_done = rows / 4 * 4;
  columns_done = columns / kLanes * kLanes;
  for (std::int64_t r = 0; r < rows_done; r += 4) {
    for (std::int64_t c = 0; c < columns_done; c += kLanes) {
      // Rows are far apart and short, so hardware prefetchers do not find the next ones.
      for (std::int64_t ahead = 4; ahead < 8; ++ahead) hwy::Prefetch(from + (r + ahead) * from_row + c);
      transpose_4_rows(from + r * from_row + c, from_row, to + c * to_row + r, to_row);
    }
  }
#endif
  transpose_plain(from + rows_done * from_row, from_row, rows - rows_done, columns_done, to + rows_done,
                  to_row);
  transpose_plain(from + columns_done, from_row, rows, columns - columns_done, to + columns_done * to_row,
                  to_row);
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = rows; r < width; ++r) to[c * to_row + r] = 0;
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(run_transpose);

void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
               std::int64_t to_row, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(run_transpose)(from, from_row, rows, columns, to, to_row, width);
}

}  // namespace umbra
#endif
