// 64 rows per level with byte lookups in tables of 128 (AVX-512 VBMI), which Highway does not offer yet.
// Machines without them, and other compilers' targets, use the walk of walk_packed.h; both give the same
// bits.
#include "models/forest/walk_bytes.h"

#include "engine/base/error.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns about its own intrinsics (bug 105593)
#endif
#include <immintrin.h>

#define UMBRA_VBMI_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi")))
#define UMBRA_VBMI_INLINE UMBRA_VBMI_TARGET __attribute__((always_inline)) inline

namespace umbra {
namespace {

using Bytes = __m512i;

UMBRA_VBMI_INLINE Bytes load(const std::uint8_t* p) {
  return _mm512_loadu_si512(p);
}

// Offsets within vectors and tables are small constants: their products in int cannot overflow.
// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
// The codes of 64 rows, S per row, and how to find one per row among them.
template <int S>
struct Rows {
  static constexpr int kPairs = S / 2;       // of vectors
  static constexpr int kTogether = 128 / S;  // rows of a pair

  const std::uint8_t* codes;
  Bytes first;  // of a row within its pair

  UMBRA_VBMI_INLINE explicit Rows(const std::uint8_t* p) : codes(p) {
    alignas(64) std::uint8_t row[64];
    for (int r = 0; r < 64; ++r) row[r] = static_cast<std::uint8_t>(r % kTogether * S);
    first = _mm512_load_si512(row);
  }

  // A lookup uses the lowest 7 bits of an index, so kMissingLeft is ignored.
  UMBRA_VBMI_INLINE Bytes at(Bytes column) const {
    const Bytes index = _mm512_or_si512(first, column);
    Bytes out = _mm512_setzero_si512();
#pragma GCC unroll 16
    for (int p = 0; p < kPairs; ++p) {
      const __mmask64 own = (kTogether == 64 ? ~0ULL : ((1ULL << (kTogether % 64)) - 1)) << (p * kTogether);
      out = _mm512_or_si512(
          out, _mm512_maskz_permutex2var_epi8(own, load(codes + p * 128), index, load(codes + p * 128 + 64)));
    }
    return out;
  }
};

UMBRA_VBMI_INLINE Bytes of_128(const std::uint8_t* table, Bytes index) {
  return _mm512_permutex2var_epi8(load(table), index, load(table + 64));
}
UMBRA_VBMI_INLINE Bytes of_256(const std::uint8_t* table, Bytes index) {
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), of_128(table, index), of_128(table + 128, index));
}

UMBRA_VBMI_INLINE Bytes of_512(const std::uint8_t* table, Bytes index, __mmask64 bit8) {
  return _mm512_mask_blend_epi8(bit8, of_256(table, index), of_256(table + 256, index));
}

template <int S, bool kMissing>
UMBRA_VBMI_INLINE __mmask64 goes_right(const Rows<S>& rows, Bytes code, Bytes column) {
  Bytes own = rows.at(column);
  if constexpr (kMissing) {
    const __mmask64 none =
        _mm512_mask_cmpeq_epi8_mask(_mm512_movepi8_mask(column), own, _mm512_set1_epi8(-1));
    own = _mm512_mask_mov_epi8(own, none, _mm512_setzero_si512());  // 0 is never greater
  }
  return _mm512_cmpgt_epu8_mask(own, code);
}
UMBRA_VBMI_INLINE Bytes down(Bytes at, __mmask64 right) {
  return _mm512_mask_sub_epi8(_mm512_add_epi8(at, at), right, _mm512_add_epi8(at, at), _mm512_set1_epi8(-1));
}

template <int S, bool kMissing>
UMBRA_VBMI_INLINE void walk_64(const ByteLevels& t, const std::uint8_t* codes, std::uint16_t* slots) {
  const Rows<S> rows(codes);
  Bytes at = _mm512_set1_epi8(1);
  __mmask64 high = 0, highest = 0;  // bits 8 and 9 of the path
  const Bytes top_code = load(t.code), top_column = load(t.column);
  const int six = t.levels < 6 ? t.levels : 6;
  for (int level = 0; level < six; ++level)
    at = down(at, goes_right<S, kMissing>(rows, _mm512_permutexvar_epi8(at, top_code),
                                          _mm512_permutexvar_epi8(at, top_column)));
  if (t.levels > 6) {  // from here on the lowest bits of `at` are the index within a table
    at = down(at, goes_right<S, kMissing>(rows, _mm512_permutexvar_epi8(at, load(t.code + 64)),
                                          _mm512_permutexvar_epi8(at, load(t.column + 64))));
  }
  if (t.levels > 7)
    at = down(at, goes_right<S, kMissing>(rows, of_128(t.code + 128, at), of_128(t.column + 128, at)));
  if (t.levels > 8) {
    high = _mm512_movepi8_mask(at);
    at = down(at, goes_right<S, kMissing>(rows, of_256(t.code + 256, at), of_256(t.column + 256, at)));
  }
  if (t.levels > 9) {
    highest = high;
    high = _mm512_movepi8_mask(at);
    at = down(at, goes_right<S, kMissing>(rows, of_512(t.code + 512, at, highest),
                                          of_512(t.column + 512, at, highest)));
  }
  if (t.levels < 8) at = _mm512_sub_epi8(at, _mm512_set1_epi8(static_cast<char>(1 << t.levels)));
  const Bytes bit8 = _mm512_set1_epi16(256), bit9 = _mm512_set1_epi16(512);
  for (int half = 0; half < 2; ++half) {
    const auto h = static_cast<__mmask32>(high >> (32 * half));
    const auto hh = static_cast<__mmask32>(highest >> (32 * half));
    Bytes wide =
        _mm512_cvtepu8_epi16(half == 0 ? _mm512_castsi512_si256(at) : _mm512_extracti64x4_epi64(at, 1));
    wide = _mm512_mask_add_epi16(wide, h, wide, bit8);
    wide = _mm512_mask_add_epi16(wide, hh, wide, bit9);
    _mm512_storeu_si512(slots + 32 * half, wide);
  }
}

template <int S, bool kMissing>
UMBRA_VBMI_TARGET void walk(const ByteLevels& t, const std::uint8_t* codes, std::int64_t rows,
                            std::uint16_t* slots) {
  for (std::int64_t r = 0; r < rows; r += kByteRows) walk_64<S, kMissing>(t, codes + r * S, slots + r);
}

}  // namespace

bool walk_bytes_supported() {
  static const bool has = __builtin_cpu_supports("avx512vbmi") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0 &&
                          __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  return has;
}

void walk_bytes(const ByteLevels& t, const std::uint8_t* codes, int stride, bool missing, std::int64_t rows,
                std::uint16_t* slots) {
  if (stride == 8)
    return missing ? walk<8, true>(t, codes, rows, slots) : walk<8, false>(t, codes, rows, slots);
  if (stride == 16)
    return missing ? walk<16, true>(t, codes, rows, slots) : walk<16, false>(t, codes, rows, slots);
  return missing ? walk<32, true>(t, codes, rows, slots) : walk<32, false>(t, codes, rows, slots);
}

}  // namespace umbra

#else

namespace umbra {

bool walk_bytes_supported() {
  return false;
}
void walk_bytes(const ByteLevels&, const std::uint8_t*, int, bool, std::int64_t, std::uint16_t*) {
  fail("forest: this machine cannot look up bytes in long tables");
}
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

}  // namespace umbra

#endif
