// What the learner writes in this lesson: a kernel density estimate in two dimensions.
#pragma once

#include <array>
#include <vector>

namespace umbra::learn {

/// A point of the plane, or the two bandwidths of a kernel.
using Point = std::array<double, 2>;

/// The standard normal density at u, whose integral over all u is 1.
double kernel(double u);

/// The density estimate at x: the mean over the data of the product of a kernel in each coordinate, whose
/// widths are the bandwidths h.
double density(const Point& x, const std::vector<Point>& data, const Point& h);

/// The mean over the data of the logarithm of the density estimate at each point from all the other points.
double leave_one_out(const std::vector<Point>& data, const Point& h);

}  // namespace umbra::learn
