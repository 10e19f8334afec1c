#include "models/forest/move_records.h"

#include "engine/base/error.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns about its own intrinsics (bug 105593)
#endif
#include <immintrin.h>

namespace umbra {

bool move_records_supported() {
  static const bool has = __builtin_cpu_supports("avx512f") != 0;
  return has;
}

// A vector holds four records. Whole vectors are written on both sides; what they write past the records of
// a side is overwritten later.
__attribute__((target("avx512f"))) MovedRecords move_records(const void* in, void* out, std::int64_t count,
                                                             std::int64_t left_count, RightRecords right) {
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(out);
  const __m512i shift = _mm512_set1_epi64(8 * static_cast<long long>(right.at));
  const __m512i byte = _mm512_set1_epi64(255), code = _mm512_set1_epi64(right.code),
                exception = _mm512_set1_epi64(right.exception);
  std::int64_t l = 0, r = left_count;
  for (std::int64_t i = 0; i + 4 <= count && l + 4 <= left_count && r + 4 <= count; i += 4) {
    const __m512i records = _mm512_loadu_si512(from + 16 * i);
    const __m512i seen = _mm512_and_si512(_mm512_srlv_epi64(records, shift), byte);
    unsigned goes_right = _mm512_cmpgt_epu64_mask(seen, code) & _mm512_cmpneq_epu64_mask(seen, exception);
    goes_right &= 0x55;  // the words with the codes
    const int many = __builtin_popcount(goes_right);
    goes_right |= goes_right << 1;
    const auto goes_left = static_cast<__mmask8>(~goes_right);
    _mm512_storeu_si512(to + 16 * l, _mm512_maskz_compress_epi64(goes_left, records));
    _mm512_storeu_si512(to + 16 * r, _mm512_maskz_compress_epi64(static_cast<__mmask8>(goes_right), records));
    r += many;
    l += 4 - many;
  }
  return {l, r - left_count};
}

}  // namespace umbra

#else

namespace umbra {

bool move_records_supported() {
  return false;
}
MovedRecords move_records(const void*, void*, std::int64_t, std::int64_t, RightRecords) {
  fail("forest: this machine cannot move four records at a time");
}

}  // namespace umbra

#endif
