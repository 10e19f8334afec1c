// Collects a row of dz from the pooling windows whose winners are in it (the rung cpu_1_lanes). Like
// simd.h, which must be included first, this file has no include guard: it is compiled once per instruction
// set.
#include <algorithm>
#include <cstdint>

#if defined(UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_COLLECT_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_COLLECT_TOGGLE
#undef UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_COLLECT_TOGGLE
#else
#define UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_COLLECT_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
using Codes = hn::RebindToSigned<Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

/// A row of pooled outputs whose windows contain the current row of the convolution. A winner in that row
/// has the code base + its tap along W.
struct WindowRow {
  const float* dy;           // [windows][cell]
  const std::int32_t* code;  // [windows][cell]
  std::int32_t base;
};

/// `to` plus dy in the lanes in which the window's winner has the code `code`.
HWY_INLINE hn::Vec<Floats> won(hn::Vec<Codes> codes, std::int32_t code, hn::Vec<Floats> dy,
                               hn::Vec<Floats> to) {
  const Floats d;
  const auto wins = hn::RebindMask(d, hn::Eq(codes, hn::Set(Codes(), code)));
  return hn::IfThenElse(wins, hn::Add(to, dy), to);
}

/// dz, from the element at the first tap of the first window on, for windows of three taps with stride two:
/// neighbouring windows share an element, which stays in a register.
template <int M>
HWY_INLINE void collect_three(const WindowRow* rows, std::int64_t count, std::int64_t windows,
                              std::int64_t cell, float* HWY_RESTRICT dz) {
  const Floats d;
  const Codes di;
  if (M > 0) count = M;
  for (std::int64_t i = 0; i < cell; i += kLanes) {
    auto shared = hn::Zero(d);
    for (std::int64_t q = 0; q < windows; ++q) {
      auto middle = hn::Zero(d), next = hn::Zero(d);
#pragma GCC unroll 4
      for (std::int64_t m = 0; m < count; ++m) {
        const auto codes = hn::LoadU(di, rows[m].code + q * cell + i);
        const auto dy = hn::LoadU(d, rows[m].dy + q * cell + i);
        shared = won(codes, rows[m].base, dy, shared);
        middle = won(codes, rows[m].base + 1, dy, middle);
        next = won(codes, rows[m].base + 2, dy, next);
      }
      hn::StoreU(shared, d, dz + 2 * q * cell + i);
      hn::StoreU(middle, d, dz + (2 * q + 1) * cell + i);
      shared = next;
    }
    hn::StoreU(shared, d, dz + 2 * windows * cell + i);
  }
}

/// The same for any window.
void collect_any(const WindowRow* rows, std::int64_t count, std::int64_t windows, std::int64_t taps,
                 std::int64_t stride, std::int64_t cell, float* HWY_RESTRICT dz) {
  const Floats d;
  const Codes di;
  std::fill_n(dz, ((windows - 1) * stride + taps) * cell, 0.0f);
  for (std::int64_t m = 0; m < count; ++m) {
    for (std::int64_t q = 0; q < windows; ++q) {
      for (std::int64_t t = 0; t < taps; ++t) {
        float* to = dz + (q * stride + t) * cell;
        for (std::int64_t i = 0; i < cell; i += kLanes) {
          const auto codes = hn::LoadU(di, rows[m].code + q * cell + i);
          const auto dy = hn::LoadU(d, rows[m].dy + q * cell + i);
          hn::StoreU(won(codes, rows[m].base + static_cast<std::int32_t>(t), dy, hn::LoadU(d, to + i)), d,
                     to + i);
        }
      }
    }
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
