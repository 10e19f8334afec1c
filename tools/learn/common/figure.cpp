#include "tools/learn/common/figure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/error.h"
#include "tools/learn/common/figure_parts.h"

namespace umbra::learn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Figure::Figure(std::string title, Axis x, Axis y)
    : title_(std::move(title)), x_(std::move(x)), y_(std::move(y)) {}

Figure& Figure::add(Kind kind, const std::string& name, const std::vector<double>& x,
                    const std::vector<double>& y) {
  require(x.size() == y.size(), "figure '", title_, "': ", x.size(), " x, but ", y.size(), " y");
  series_.push_back({kind, name, x, y, colours_++});
  return *this;
}

Figure& Figure::line(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
  return add(Kind::kLine, name, x, y);
}
Figure& Figure::dashed(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
  return add(Kind::kDashed, name, x, y);
}
Figure& Figure::theory(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
  require(!series_.empty(), "figure '", title_, "': nothing before its theory");
  const std::size_t shared = series_.back().colour;
  add(Kind::kDashed, name, x, y);
  series_.back().colour = shared;
  --colours_;
  return *this;
}
Figure& Figure::points(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
  return add(Kind::kPoints, name, x, y);
}
Figure& Figure::bars(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
  return add(Kind::kBars, name, x, y);
}

Figure& Figure::map(const std::vector<std::vector<double>>& values, double x_from, double x_to, double y_from,
                    double y_to) {
  cells_.push_back({values, x_from, x_to, y_from, y_to, false});
  return *this;
}

Figure& Figure::regions(const std::vector<std::vector<int>>& classes, double x_from, double x_to,
                        double y_from, double y_to) {
  std::vector<std::vector<double>> values;
  values.reserve(classes.size());
  for (const std::vector<int>& row : classes) values.emplace_back(row.begin(), row.end());
  cells_.push_back({std::move(values), x_from, x_to, y_from, y_to, true});
  return *this;
}

Figure& Figure::text(double x, double y, const std::string& words) {
  words_.push_back({x, y, words});
  return *this;
}

bool Figure::Scale::shows(double value) const {
  return std::isfinite(value) && (!log || value > 0);
}

double Figure::Scale::operator()(double value) const {
  const double at = log ? std::log10(value) : value;
  const double share = std::clamp((at - from) / (to - from), -1.0, 2.0);  // far outside: cut off by the frame
  return first + share * (last - first);
}

Figure::Scale Figure::scale(const Axis& axis, bool horizontal) const {
  Scale made{axis.from, axis.to, horizontal ? kLeft : kHeight - kBottom, horizontal ? kWidth - kRight : kTop,
             axis.log};
  if (axis.from == axis.to) {
    double low = kInfinity, high = -kInfinity;
    const auto cover = [&](double value) {
      if (!made.shows(value)) return;
      low = std::min(low, axis.log ? std::log10(value) : value);
      high = std::max(high, axis.log ? std::log10(value) : value);
    };
    bool padded = cells_.empty();
    for (const Cells& cells : cells_) {
      cover(horizontal ? cells.x_from : cells.y_from);
      cover(horizontal ? cells.x_to : cells.y_to);
    }
    for (const Series& series : series_) {
      for (const double value : horizontal ? series.x : series.y) cover(value);
      if (!horizontal && series.kind == Kind::kBars) cover(0);
    }
    require(low <= high, "figure '", title_, "': nothing to draw");
    const double pad = high > low ? (padded ? 0.04 * (high - low) : 0) : 0.5;
    made.from = low - pad;
    made.to = high + pad;
  } else if (axis.log) {
    made.from = std::log10(axis.from);
    made.to = std::log10(axis.to);
  }
  return made;
}

// The colour of a series. A map is blue, so no series on one is.
const char* Figure::ink(const Series& series) const {
  const bool on_map = std::ranges::any_of(cells_, [](const Cells& cells) { return !cells.classes; });
  return colour(on_map ? series.colour + 1 : series.colour);
}

std::string Figure::drawn_cells(const Scale& x, const Scale& y) const {
  std::string out;
  for (const Cells& cells : cells_) {
    double low = kInfinity, high = -kInfinity;
    for (const auto& row : cells.values)
      for (const double value : row)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    const double rows = static_cast<double>(cells.values.size());
    // Neighbours overlap a little, without seams between them; classes get paler together, so that this is not seen.
    out += cells.classes ? "<g opacity=\"0.25\">\n" : "<g>\n";
    for (std::size_t r = 0; r < cells.values.size(); ++r) {
      const auto& row = cells.values[r];
      const double columns = static_cast<double>(row.size());
      const auto edge_y = [&](double k) { return y(cells.y_from + (cells.y_to - cells.y_from) * k / rows); };
      const auto edge_x = [&](double k) {
        return x(cells.x_from + (cells.x_to - cells.x_from) * k / columns);
      };
      const double y0 = edge_y(static_cast<double>(r)), y1 = edge_y(static_cast<double>(r + 1));
      const auto fill = [&](double value) {
        if (!std::isfinite(value)) return std::string("#ffffff");
        if (cells.classes) return std::string(colour(static_cast<std::size_t>(value)));
        return shade(high > low ? (value - low) / (high - low) : 0.5);
      };
      for (std::size_t begin = 0, end; begin < row.size();
           begin = end) {  // equal neighbours share a rectangle
        for (end = begin + 1; end < row.size() && fill(row[end]) == fill(row[begin]);) ++end;
        const double x0 = edge_x(static_cast<double>(begin)), x1 = edge_x(static_cast<double>(end));
        out += text_of("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>\n",
                       std::min(x0, x1), std::min(y0, y1), std::abs(x1 - x0) + 0.7, std::abs(y1 - y0) + 0.7,
                       fill(row[begin]).c_str());
      }
    }
    out += "</g>\n";
  }
  return out;
}

std::string Figure::drawn(const Series& series, const Scale& x, const Scale& y) const {
  std::string out;
  const auto shown = [&](std::size_t i) { return x.shows(series.x[i]) && y.shows(series.y[i]); };
  if (series.kind == Kind::kPoints) {
    const double radius = series.x.size() > 400 ? 1.6 : cells_.empty() || series.x.size() < 200 ? 3 : 2.4;
    // Alone, dots that cover each other are darker; on cells of any shade, a white rim sets each of them off.
    const char* look = cells_.empty() ? "fill-opacity=\"0.75\"" : "stroke=\"#fff\" stroke-width=\"0.8\"";
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (shown(i))
        out += text_of("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" %s/>\n", x(series.x[i]),
                       y(series.y[i]), radius, ink(series), look);
    return out;
  }
  if (series.kind == Kind::kBars) {
    double step = series.x.size() > 1 ? kInfinity : 1;
    for (std::size_t i = 1; i < series.x.size(); ++i)
      step = std::min(step, std::abs(series.x[i] - series.x[i - 1]));
    const double floor = y.log ? y.first : y(0);
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!shown(i)) continue;
      const double left = x(series.x[i] - 0.42 * step), right = x(series.x[i] + 0.42 * step),
                   top = y(series.y[i]);
      out += text_of("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left,
                     std::min(top, floor), right - left, std::abs(floor - top), ink(series));
    }
    return out;
  }
  std::string path;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!shown(i)) continue;
    const bool begins = path.empty() || !shown(i - 1);
    path += text_of("%c%.1f %.1f", begins ? 'M' : 'L', x(series.x[i]), y(series.y[i]));
  }
  return text_of("<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s d=\"", ink(series),
                 series.kind == Kind::kDashed ? " stroke-dasharray=\"6 4\"" : "") +
         path + "\"/>\n";
}

std::string Figure::svg(const std::string& description) const {
  const Scale x = scale(x_, true), y = scale(y_, false);
  std::string out = text_of(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                        "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<title>",
                        kWidth, kHeight) +
                    escaped(description) +
                    "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<svg x=\"78\" y=\"34\" "
                    "width=\"546\" height=\"330\" viewBox=\"78 34 546 330\">\n" +
                    drawn_cells(x, y);
  for (const bool lines_first : {false, true})  // bars and lines below dots
    for (const Series& series : series_)
      if ((series.kind == Kind::kPoints) == lines_first) out += drawn(series, x, y);
  for (const Words& words : words_)
    if (x.shows(words.x) && y.shows(words.y))
      out += words_at(x(words.x), y(words.y), "start", words.words, kHalo);
  out += "</svg>\n<rect x=\"78\" y=\"34\" width=\"546\" height=\"330\" fill=\"none\" stroke=\"#444\"/>\n";
  for (const double tick : x.log ? decades(x.from, x.to) : ticks(x.from, x.to))
    out += text_of("<path stroke=\"#444\" d=\"M%.1f %.1fv5\"/>\n", x(tick), kHeight - kBottom) +
           words_at(x(tick), kHeight - kBottom + 19, "middle", typeset(text_of("%.4g", tick)));
  for (const double tick : y.log ? decades(y.from, y.to) : ticks(y.from, y.to))
    out += text_of("<path stroke=\"#444\" d=\"M%.1f %.1fh-5\"/>\n", kLeft, y(tick)) +
           words_at(kLeft - 9, y(tick) + 4, "end", typeset(text_of("%.4g", tick)));
  out +=
      words_at((kLeft + kWidth - kRight) / 2, kHeight - 12, "middle", x_.label) +
      words_at(
          0, 0, "middle", y_.label,
          text_of(" transform=\"translate(18 %.1f) rotate(-90)\"", (kTop + kHeight - kBottom) / 2).c_str()) +
      words_at((kLeft + kWidth - kRight) / 2, 22, "middle", title_, " font-weight=\"bold\"") + legend(x, y);
  return out + "</svg>\n";
}

}  // namespace umbra::learn
