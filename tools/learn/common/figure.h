// Figures of lessons: line and scatter plots, bars and maps of a grid, written as SVG.
#pragma once

#include <string>
#include <vector>

namespace umbra::learn {

/// One axis of a figure.
struct Axis {
  std::string label;  ///< with the unit
  bool log = false;   ///< logarithmic; values that are not positive are left out
  /// The ends of the axis, which may be in descending order; equal numbers: chosen to fit the data.
  double from = 0, to = 0;
};

/// A plot that is drawn in the order of the calls.
class Figure {
 public:
  /// `title` may be empty.
  Figure(std::string title, Axis x, Axis y);

  /// A polyline through the points (x[i], y[i]); NaNs interrupt it. `name` is shown in the legend unless it
  /// is empty.
  Figure& line(const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  /// As line(), dashed: for limits, and for theory about more than one series.
  Figure& dashed(const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  /// As dashed(), in the colour of the series before it, which it describes.
  Figure& theory(const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  /// A dot at every point (x[i], y[i]).
  Figure& points(const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  /// A bar of height y[i] around every x[i], as wide as the smallest distance between two of them.
  Figure& bars(const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  /// Colours of values[row][column], on a grid whose outer edges are x_from…x_to (columns) and y_from…y_to
  /// (rows). Light is small, dark is large. Draw it first: it covers what is below.
  Figure& map(const std::vector<std::vector<double>>& values, double x_from, double x_to, double y_from,
              double y_to);
  /// The areas where whole-number classes[row][column] differ, in the colours of the series 0, 1, 2, …, paler.
  Figure& regions(const std::vector<std::vector<int>>& classes, double x_from, double x_to, double y_from,
                  double y_to);
  /// A word at (x, y), in the coordinates of the axes.
  Figure& text(double x, double y, const std::string& words);

  /// The SVG document. `description` says what can be seen, for readers who cannot see it.
  std::string svg(const std::string& description) const;

 private:
  enum class Kind { kLine, kDashed, kPoints, kBars };
  struct Series {
    Kind kind;
    std::string name;
    std::vector<double> x, y;
    std::size_t colour;  // 0, 1, 2, …
  };
  struct Cells {
    std::vector<std::vector<double>> values;
    double x_from, x_to, y_from, y_to;
    bool classes;
  };
  struct Words {
    double x, y;
    std::string words;
  };
  struct Scale {
    double from, to, first, last;  // ends in data (logarithms on a logarithmic axis) and in pixels
    bool log;
    bool shows(double value) const;
    double operator()(double value) const;
  };

  Figure& add(Kind kind, const std::string& name, const std::vector<double>& x, const std::vector<double>& y);
  Scale scale(const Axis& axis, bool horizontal) const;
  const char* ink(const Series& series) const;
  std::string drawn_cells(const Scale& x, const Scale& y) const;
  std::string drawn(const Series& series, const Scale& x, const Scale& y) const;
  std::string legend(const Scale& x, const Scale& y) const;
  std::size_t crowd(const Scale& x, const Scale& y, double left, double top, double width,
                    double height) const;

  std::string title_;
  Axis x_, y_;
  std::vector<Cells> cells_;
  std::vector<Series> series_;
  std::size_t colours_ = 0;  // of the series so far
  std::vector<Words> words_;
};

}  // namespace umbra::learn
