// The marks of fields against a search byte by byte.
#include "engine/cpu/field_marks.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/base/philox.h"

namespace umbra {
namespace {

constexpr std::array<char, 3> kOthers{'\0', '\r', '"'};

TEST(FieldMarks, AreWhereFieldsBeginAndLinesEnd) {
  const Rng rng(1, Purpose::kTest);
  const std::string letters = "0123456789e.-  \t\n,,\xe2\x80\x8a\x8d";  // some are negative as char
  std::string text(64 * 40, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = letters[rng.below(i, letters.size())];
  for (const char separator : {' ', ',', '\t', '\x8a'}) {
    std::vector<FieldMarks> marks(text.size() / 64);
    EXPECT_FALSE(mark_fields(text.data(), text.size(), separator, kOthers, marks.data()));
    const auto ends = [&](char c) { return c == '\n' || c == separator || (separator == ' ' && c == '\t'); };
    std::vector<std::uint64_t> fields(marks.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool starts = (i == 0 || ends(text[i - 1])) && !(separator == ' ' && ends(text[i]));
      EXPECT_EQ(marks[i / 64].line_ends >> i % 64 & 1, text[i] == '\n') << separator << i;
      EXPECT_EQ(marks[i / 64].starts >> i % 64 & 1, starts) << separator << i;
      fields[i / 64] += starts;
    }
    for (std::size_t i = 0; i < marks.size(); ++i) EXPECT_EQ(marks[i].fields, fields[i]) << i;
  }
}

TEST(FieldMarks, OtherCharactersAreFoundAnywhere) {
  std::vector<FieldMarks> marks(2);
  for (const char other : kOthers)
    for (std::size_t i = 0; i < 128; ++i) {
      std::string text(128, 'x');
      text[i] = other;
      EXPECT_TRUE(mark_fields(text.data(), text.size(), ' ', kOthers, marks.data())) << i;
      text[i] = 'y';
      EXPECT_FALSE(mark_fields(text.data(), text.size(), ' ', kOthers, marks.data())) << i;
    }
}

}  // namespace
}  // namespace umbra
