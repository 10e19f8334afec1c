// Exercises of lesson 1: fitting a line f(x; a, b) = a x + b by stochastic gradient descent.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace umbra::learn {

/// The parameters (a, b) of a line; also a gradient with respect to them, and a velocity.
struct Line {
  double a = 0, b = 0;
};
using Numbers = std::span<const double>;
/// Which points are used: their indices.
using Indices = std::span<const std::size_t>;

/// Exercise 1. The mean squared error: the mean over all points of (a x + b - y)².
double loss(const Line& line, Numbers x, Numbers y);

/// Exercise 2. The gradient (dQ/da, dQ/db) of Q, the mean squared error over the points of `batch`.
Line gradient(const Line& line, Numbers x, Numbers y, Indices batch);

/// How SGD moves.
struct Step {
  double learning_rate = 0, momentum = 0;
  std::size_t batch = 1;  ///< points per step
};
/// Exercise 3. One epoch of SGD with momentum. The batches are the first step.batch indices of `order`, the next
/// step.batch, and so on; the last one may be shorter. For each batch with gradient g:
///   velocity <- momentum velocity + g,   line <- line - learning_rate velocity.
/// Returns the line after every step.
std::vector<Line> epoch(Line line, Line& velocity, Numbers x, Numbers y, Indices order, const Step& step);

}  // namespace umbra::learn
