// Dropout: its definition, and cpu_1_simd, a vector of Philox counters at a time: one counter gives the words
// of four neighbouring elements.
//
// uniform_from(word) >= p is (word >> 8) >= p 2^24, both sides exact. The left side is an integer, so this
// is the same as comparing it with the ceiling of the right side: the mask needs no floating point.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/dropout.cpp"
#include "engine/ops/elementwise/dropout.h"

#include <cmath>

#include "engine/base/philox.h"
#include "engine/cpu/simd.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// Bits 32 to 63 of the products of a with a constant.
template <class D>
HWY_INLINE hn::Vec<D> multiply_high(D d, hn::Vec<D> a, std::uint32_t constant) {
  const hn::Vec<D> b = hn::Set(d, constant);
  const hn::Repartition<std::uint64_t, D> wide;
  const auto even = hn::MulEven(a, b);  // lanes 0, 2, …
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), b);
  const auto odd_high = hn::And(odd, hn::Set(wide, 0xFFFFFFFF00000000u));
  return hn::BitCast(d, hn::Or(hn::ShiftRight<32>(even), odd_high));
}

/// Replaces each counter by its four words, ten rounds as in philox.h, for a vector of counters.
template <class D>
HWY_INLINE void philox_vectors(D d, hn::Vec<D> (&counter)[4], std::uint32_t key0, std::uint32_t key1) {
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
  for (int round = 0; round < 10; ++round) {
    const auto high0 = multiply_high(d, counter[0], kMultiplier0),
               low0 = hn::Mul(counter[0], hn::Set(d, kMultiplier0));
    const auto high1 = multiply_high(d, counter[2], kMultiplier1),
               low1 = hn::Mul(counter[2], hn::Set(d, kMultiplier1));
    counter[0] = hn::Xor(hn::Xor(high1, counter[1]), hn::Set(d, key0));
    counter[1] = low1;
    counter[2] = hn::Xor(hn::Xor(high0, counter[3]), hn::Set(d, key1));
    counter[3] = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

float kept_value(float x, std::uint32_t word, std::uint32_t threshold, float keep) {
  return word >> 8 >= threshold ? x / keep : 0.0f;
}

/// x and y start at the element of index 4 first_counter; the counters' upper words are the same for all of
/// them.
void dropout_range(const Rng& rng, std::uint64_t first_counter, std::uint32_t threshold, float keep,
                   const float* x, float* y, std::int64_t count) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint32_t> d;
  const hn::ScalableTag<float> df;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Philox4 counter0 = rng.counter(first_counter);
  const auto key0 = static_cast<std::uint32_t>(rng.seed()),
             key1 = static_cast<std::uint32_t>(rng.seed() >> 32);
  HWY_ALIGN std::uint32_t words[HWY_MAX_BYTES / sizeof(std::uint32_t) * 4];  // in element order
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    hn::Vec<decltype(d)> counter[4];
    for (int k = 0; k < 4; ++k) counter[k] = hn::Set(d, counter0[static_cast<std::size_t>(k)]);
    counter[0] = hn::Iota(d, counter0[0] + static_cast<std::uint32_t>(i / 4));
    philox_vectors(d, counter, key0, key1);
    hn::StoreInterleaved4(counter[0], counter[1], counter[2], counter[3], d, words);
    for (std::int64_t part = 0; part < 4 * lanes; part += lanes) {
      const hn::RebindToSigned<decltype(d)> di;  // below 2^24, so that a signed comparison is valid
      const auto bits = hn::BitCast(di, hn::ShiftRight<8>(hn::Load(d, words + part)));
      const auto kept = hn::Gt(bits, hn::Set(di, static_cast<std::int32_t>(threshold) - 1));
      const auto scaled = hn::Div(hn::LoadU(df, x + i + part), hn::Set(df, keep));
      hn::StoreU(hn::IfThenElseZero(hn::RebindMask(df, kept), scaled), df, y + i + part);
    }
  }
#endif
  for (; i < count; ++i) {
    const Philox4 word = rng.words(first_counter + static_cast<std::uint64_t>(i / 4));
    y[i] = kept_value(x[i], word[static_cast<std::size_t>(i % 4)], threshold, keep);
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(dropout_range);

void run(const Dropout& op, Buffers buffers, void*, Stream&) {
  const float* x = buffers.in(0);
  float* y = buffers.out(2);
  const Rng rng = dropout_rng(op.seed, *buffers.in<std::int64_t>(1), op.layer);
  const auto threshold = static_cast<std::uint32_t>(std::ceil(op.p * 0x1p24));
  const auto keep = static_cast<float>(1 - op.p);
  // A chunk holds 2^12 counters and starts at a multiple of 2^12: only their lowest word varies.
  parallel_chunks(op.count, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(dropout_range)
    (rng, static_cast<std::uint64_t>(begin / 4), threshold, keep, x + begin, y + begin, end - begin);
  });
}

/// p = 0 keeps and p = 1 drops everything.
Problems problems(DType dtype) {
  constexpr std::uint64_t kSeed = 2018, kLayer = 7;
  Problems problems = problems_of_counts<Dropout>(dtype, 0.3, kSeed, kLayer);
  for (double p : {0.0, 0.5, 0.999, 1.0}) {
    problems.push_back(std::make_unique<Dropout>(dtype, 16411, p, kSeed, std::uint64_t{255}));
  }
  return problems;
}

}  // namespace

Ladder dropout_definition() {
  return define_op<Dropout, dropout_reference<float>, dropout_reference<double>>(problems);
}
Kernel dropout_cpu_1_simd() {
  return make_kernel<Dropout, run>();
}

}  // namespace umbra
#endif
