// The legend of a figure, in the corner where it covers least.
#include <algorithm>
#include <cmath>

#include "tools/learn/common/figure.h"
#include "tools/learn/common/figure_parts.h"

namespace umbra::learn {

// How many places of the data, about 8 pixels apart along lines, are in a box.
std::size_t Figure::crowd(const Scale& x, const Scale& y, double left, double top, double width,
                          double height) const {
  std::size_t count = 0;
  const auto look = [&](double at_x, double at_y) {
    if (at_x >= left && at_x <= left + width && at_y >= top && at_y <= top + height) ++count;
  };
  const auto along = [&](double x0, double y0, double x1, double y1) {
    const double steps = std::ceil(std::hypot(x1 - x0, y1 - y0) / 8);
    for (double k = 1; k < steps; ++k) look(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps);
  };
  for (const Series& series : series_) {
    const auto shown = [&](std::size_t i) { return x.shows(series.x[i]) && y.shows(series.y[i]); };
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!shown(i)) continue;
      const double at_x = x(series.x[i]), at_y = y(series.y[i]);
      look(at_x, at_y);
      if (series.kind == Kind::kBars)
        along(at_x, at_y, at_x, kHeight - kBottom);
      else if (series.kind != Kind::kPoints && i > 0 && shown(i - 1))
        along(x(series.x[i - 1]), y(series.y[i - 1]), at_x, at_y);
    }
  }
  for (const Words& words : words_)
    if (x.shows(words.x) && y.shows(words.y))
      along(x(words.x), y(words.y) - 4, x(words.x) + 7.0 * static_cast<double>(words.words.size()),
            y(words.y) - 4);
  return count;
}

std::string Figure::legend(const Scale& x, const Scale& y) const {
  std::size_t longest = 0, named = 0;
  for (const Series& series : series_) {
    longest = std::max(longest, series.name.size());
    named += !series.name.empty();
  }
  const double width = 50 + 7.5 * static_cast<double>(longest), height = 8 + 18 * static_cast<double>(named);
  const double right_end = kWidth - kRight, bottom_end = kHeight - kBottom;
  bool right = true, bottom = false;
  std::size_t least = SIZE_MAX;
  for (const bool at_bottom : {false, true})
    for (const bool at_right : {true, false}) {
      const std::size_t found = crowd(x, y, at_right ? right_end - width : kLeft,
                                      at_bottom ? bottom_end - height : kTop, width, height);
      if (found >= least) continue;
      least = found;
      right = at_right;
      bottom = at_bottom;
    }
  // A page may enlarge the words: they end at the marks on the right, and begin at the marks on the left.
  std::string out;
  double at = (bottom ? bottom_end - height : kTop) + 18;
  const double mark = right ? right_end - 34 : kLeft + 14;
  for (const Series& series : series_) {
    if (series.name.empty()) continue;
    if (series.kind == Kind::kPoints)
      out +=
          text_of("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", mark + 10, at - 4, ink(series));
    else
      out += text_of("<path stroke=\"%s\" stroke-width=\"3\"%s d=\"M%.1f %.1fh20\"/>\n", ink(series),
                     series.kind == Kind::kDashed ? " stroke-dasharray=\"6 4\"" : "", mark, at - 4);
    out += words_at(right ? mark - 7 : mark + 27, at, right ? "end" : "start", series.name, kHalo);
    at += 18;
  }
  return out;
}

}  // namespace umbra::learn
