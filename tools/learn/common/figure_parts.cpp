#include "tools/learn/common/figure_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace umbra::learn {
namespace {

// The palette of Okabe & Ito (2008), which readers with any colour vision can tell apart.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};

}  // namespace

const char* colour(std::size_t index) {
  return kColours[index % std::size(kColours)];
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

std::string words_at(double x, double y, const char* anchor, const std::string& words, const char* more) {
  return text_of("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, more) + escaped(words) +
         "</text>\n";
}

std::string shade(double share) {
  const auto mix = [&](int light, int dark) { return static_cast<int>(light + share * (dark - light)); };
  return text_of("#%02x%02x%02x", mix(247, 8), mix(251, 48), mix(255, 107));
}

std::string grouped(const std::string& number, const std::string& separator) {
  const std::size_t begin = std::min(number.find_first_of("0123456789"), number.size());
  const std::size_t end = std::min(number.find_first_not_of("0123456789", begin), number.size());
  if (end - begin < 5) return number;
  std::string out = number;
  for (std::size_t at = end - 3; at > begin && at < end; at -= 3) out.insert(at, separator);
  return out;
}

std::string typeset(const std::string& plain) {
  const std::string number = grouped(plain, "\u202f");  // a narrow space without a line break
  if (number == "nan") return "NaN";
  constexpr const char* kRaised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number.compare(i, 3, "inf") == 0) return out + "∞";
    if (number[i] != 'e') {
      out += number[i] == '-' ? std::string("−") : std::string(1, number[i]);
      continue;
    }
    const bool power_alone = out.ends_with("1") && (i == 1 || number.substr(0, i) == "-1");
    out += power_alone ? "0" : "·10";
    for (const char c : std::to_string(std::atoi(number.c_str() + i + 1)))
      out += c == '-' ? "⁻" : kRaised[c - '0'];
    return out;
  }
  return out;
}

std::vector<double> ticks(double from, double to) {
  const double low = std::min(from, to), high = std::max(from, to), raw = (high - low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power * 1.0001) {
      step = factor * power;
      break;
    }
  std::vector<double> found;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    found.push_back(k * step + 0.0);  // 0, not -0
  return found;
}

std::vector<double> decades(double from, double to) {
  const double low = std::min(from, to), high = std::max(from, to);
  const double step = std::max(1.0, std::ceil((high - low) / 8));
  std::vector<double> found;
  for (double k = std::ceil(low - 1e-9); k <= high + 1e-9; k += step) found.push_back(std::pow(10, k));
  return found.size() < 2 ? std::vector<double>{std::pow(10, low), std::pow(10, high)} : found;
}

}  // namespace umbra::learn
