// Parts of figures: sizes, colours, words and round numbers. Lessons use figure.h.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace umbra::learn {

// Of the SVG document, and from its edges to the frame.
inline constexpr double kWidth = 640, kHeight = 420, kLeft = 78, kRight = 16, kTop = 34, kBottom = 56;

/// As printf.
std::string text_of(const char* format, auto... values) {
  char text[400];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

/// The colour of a series.
const char* colour(std::size_t index);
/// The colour of a cell: light blue for a share of 0, dark blue for 1.
std::string shade(double share);
/// Text in XML.
std::string escaped(const std::string& text);
/// A <text>; `anchor` is start, middle or end, `more` further attributes.
std::string words_at(double x, double y, const char* anchor, const std::string& words, const char* more = "");
/// Words in front of data.
inline constexpr const char* kHalo = " stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\"";

/// The number with `separator` between groups of three digits, if five digits or more are before the point.
std::string grouped(const std::string& number, const std::string& separator);
/// A number as it is printed: −1.5·10⁻⁹ for "-1.5e-09", 10⁻⁹ for "1e-09", 12 345 for "12345", ∞ for "inf".
std::string typeset(const std::string& number);

/// Round numbers from `from` to `to` in about five steps.
std::vector<double> ticks(double from, double to);
/// Powers of ten between the logarithms `from` and `to`, or the two ends where there are fewer than two.
std::vector<double> decades(double from, double to);

}  // namespace umbra::learn
