// The maximum of several cells of the rung cpu_1_lanes and which of them it is. Like simd.h, which must be
// included first, this file has no include guard: it is compiled once per instruction set.
#include <cstdint>

#if defined(UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_MAXIMUM_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_MAXIMUM_TOGGLE
#undef UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_MAXIMUM_TOGGLE
#else
#define UMBRA_ENGINE_OPS_STEM_CPU_1_LANES_MAXIMUM_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
using Codes = hn::RebindToUnsigned<Floats>;
using Bytes = hn::Rebind<std::uint8_t, Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

/// A cell of which a maximum is taken. Its winners have the code `base` plus, if the cell is itself the
/// result of a maximum, their code there.
struct Candidate {
  const float* value;
  const std::uint8_t* code;
  std::uint32_t base;
};

/// value, code = the maximum of M candidates (of `count` when M is 0) and its code, `length` numbers. Of
/// equal values the first wins; a NaN stays a NaN. Without kCodes the candidates have only a base; with
/// kTame none is a NaN.
template <int M, bool kCodes, bool kTame>
HWY_INLINE void largest(const Candidate* candidates, std::int64_t count, std::int64_t length,
                        float* HWY_RESTRICT value, std::uint8_t* HWY_RESTRICT code) {
  const Floats d;
  const Codes di;
  const Bytes bytes;
  if (M > 0) count = M;
  const auto code_of = [&](const Candidate& c, std::int64_t i) HWY_ATTR {
    const auto base = hn::Set(di, c.base);
    if constexpr (!kCodes) return base;
    if constexpr (kCodes) return hn::Add(hn::PromoteTo(di, hn::LoadU(bytes, c.code + i)), base);
  };
  for (std::int64_t i = 0; i < length; i += kLanes) {
    auto best = hn::LoadU(d, candidates[0].value + i);
    auto of_best = code_of(candidates[0], i);
#pragma GCC unroll 4
    for (std::int64_t m = 1; m < count; ++m) {
      const auto v = hn::LoadU(d, candidates[m].value + i);
      auto wins = hn::Gt(v, best);
      if constexpr (!kTame) wins = hn::Or(wins, hn::IsNaN(v));
      best = hn::IfThenElse(wins, v, best);
      of_best = hn::IfThenElse(hn::RebindMask(di, wins), code_of(candidates[m], i), of_best);
    }
    hn::StoreU(best, d, value + i);
    hn::StoreU(hn::TruncateTo(bytes, of_best), bytes, code + i);
  }
}
template <bool kCodes, bool kTame>
void largest_of(const Candidate* candidates, std::int64_t count, std::int64_t length, float* value,
                std::uint8_t* code) {
  if (count == 3) return largest<3, kCodes, kTame>(candidates, count, length, value, code);
  if (count == 2) return largest<2, kCodes, kTame>(candidates, count, length, value, code);
  largest<0, kCodes, kTame>(candidates, count, length, value, code);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
