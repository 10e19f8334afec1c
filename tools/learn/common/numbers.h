// Numbers of lessons: random ones, their differences, and their way into and out of the engine.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/grad/functions.h"

namespace umbra::learn {

using Numbers = std::vector<double>;

/// Standard normal numbers; every stream has its own.
inline Numbers normal_numbers(std::int64_t count, std::int64_t seed, std::uint64_t stream) {
  const Rng rng(static_cast<std::uint64_t>(seed), Purpose::kTest, stream);
  Numbers numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(rng.normal(static_cast<std::uint64_t>(i)));
  return numbers;
}

/// The largest |a[i] - b[i]|; infinite if one is a NaN or if the lengths differ.
inline double largest_difference(const Numbers& a, const Numbers& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = std::max(largest, std::isnan(difference) ? INFINITY : difference);
  }
  return largest;
}

/// The sum of a[i] b[i], for lists of one length.
inline double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// A Var on the context's device whose value is `numbers`, given in row-major order, and that receives a gradient.
inline Var leaf(Context& context, const Numbers& numbers, const Shape& shape, DType dtype,
                const Layout& layout = {}) {
  Var var = constant(allocate_tensor(context.device(), shape, dtype, layout));
  from_host(numbers, var->value, context.stream);
  var->needs_grad = true;
  return var;
}

/// Walks the tape of `pass` back from the loss sum(dy y), whose gradient with respect to y is dy.
inline void backward_from(Pass& pass, const Var& y, const Numbers& dy) {
  const Tensor upstream = pass.context.temporary_like(y->value);
  from_host(dy, upstream, pass.context.stream);
  pass.tape->backward(reduce_axes(pass, mul(pass, y, constant(upstream)), AxisReduction::kSum, {}));
}

}  // namespace umbra::learn
