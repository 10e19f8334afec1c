// Compares a vector of bytes at a time, compiled once per instruction set (engine/cpu/simd.h).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/field_marks.cpp"
#include "engine/cpu/field_marks.h"

#include <bit>
#include <cstring>

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

constexpr std::size_t kWord = 64;

#if HWY_TARGET == HWY_SCALAR

// Bit j: text[j] is `a` or `b`.
std::uint64_t bits_of(const char* text, char a, char b) {
  std::uint64_t bits = 0;
  for (std::size_t j = 0; j < kWord; ++j)
    bits |= static_cast<std::uint64_t>(text[j] == a || text[j] == b) << j;
  return bits;
}

#else

std::uint64_t bits_of(const char* text, char a, char b) {
  const hn::CappedTag<std::uint8_t, kWord> d;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text);
  const auto first = hn::Set(d, static_cast<std::uint8_t>(a)),
             second = hn::Set(d, static_cast<std::uint8_t>(b));
  std::uint8_t parts[kWord / 8 + 8] = {};  // 8 bytes may be written
  for (std::size_t j = 0; j < kWord; j += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, bytes + j);
    hn::StoreMaskBits(d, hn::Or(hn::Eq(v, first), hn::Eq(v, second)), parts + j / 8);
  }
  std::uint64_t bits = 0;
  std::memcpy(&bits, parts, sizeof bits);
  return bits;
}

#endif

bool run_mark_fields(const char* text, std::size_t size, char separator, std::array<char, 3> others,
                     FieldMarks* marks) {
  const bool blanks = separator == ' ';
  std::uint64_t found = 0, after = 1;  // after: the next byte follows a separator or line end
  for (std::size_t i = 0; i < size; i += kWord, ++marks) {
    marks->line_ends = bits_of(text + i, '\n', '\n');
    const std::uint64_t between = marks->line_ends | bits_of(text + i, separator, blanks ? '\t' : separator);
    marks->starts = (between << 1 | after) & (blanks ? ~between : ~std::uint64_t{0});
    marks->fields = static_cast<std::uint64_t>(std::popcount(marks->starts));
    after = between >> (kWord - 1);
    found |= bits_of(text + i, others[0], others[1]) | bits_of(text + i, others[2], others[2]);
  }
  return found != 0;
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(run_mark_fields);

bool mark_fields(const char* text, std::size_t size, char separator, std::array<char, 3> others,
                 FieldMarks* marks) {
  return HWY_DYNAMIC_DISPATCH(run_mark_fields)(text, size, separator, others, marks);
}

}  // namespace umbra
#endif
