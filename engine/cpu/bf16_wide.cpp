#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/bf16_wide.cpp"
#include "engine/cpu/bf16_wide.h"

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
using Words = hn::Rebind<std::uint32_t, Floats>;
using Halves = hn::Rebind<std::uint16_t, Words>;

// As bf16_bits(): to nearest, ties to even; a NaN stays a NaN.
HWY_INLINE hn::Vec<Floats> rounded(hn::Vec<Floats> v) {
  const Floats d;
  const Words u;
  const auto bits = hn::BitCast(u, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(u, 1));
  const auto up = hn::Add(hn::Add(bits, hn::Set(u, 0x7fff)), odd);
  const auto nan = hn::Or(bits, hn::Set(u, 0x400000));
  const auto kept = hn::IfThenElse(hn::RebindMask(u, hn::IsNaN(v)), nan, up);
  return hn::BitCast(d, hn::And(kept, hn::Set(u, 0xffff0000)));
}

void round_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
                std::int64_t to_row, std::int64_t width) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    std::int64_t l = 0;
    for (; l + lanes <= columns; l += lanes) hn::StoreU(rounded(hn::LoadU(d, from + l)), d, to + l);
    for (; l < columns; ++l) to[l] = round_to_bf16(from[l]);
    for (; l < width; ++l) to[l] = 0;
  }
}

void widen_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
                std::int64_t to_row, std::int64_t width) {
  static_assert(sizeof(Bf16) == sizeof(std::uint16_t));
  const Floats d;
  const Words u;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    std::int64_t l = 0;
    for (; l + lanes <= columns; l += lanes) {
      const auto bits = hn::PromoteTo(u, hn::LoadU(Halves(), &from[l].bits));
      hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(bits)), d, to + l);
    }
    for (; l < columns; ++l) to[l] = from[l];
    for (; l < width; ++l) to[l] = 0;
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(round_rows);
HWY_EXPORT(widen_rows);

void bf16_round_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(round_rows)(from, from_row, rows, columns, to, to_row, width);
}

void bf16_round_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                     float* to, std::int64_t to_row, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(widen_rows)(from, from_row, rows, columns, to, to_row, width);
}

}  // namespace umbra
#endif
