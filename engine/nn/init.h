// Initial values of parameters, drawn by Philox: element i of a tensor, counted in row-major order whatever
// its layout, is a function of (seed, stream, i).
#pragma once

#include "engine/nn/module.h"

namespace umbra {

/// A tensor with values uniform in [-bound, bound) from the next stream of `build`; uninitialised when
/// build.learns is false.
Tensor uniform_tensor(Build& build, Shape shape, double bound, Layout layout = {});
/// An uninitialised tensor. Consumes the next stream of `build`, as uniform_tensor() does.
Tensor unset_tensor(Build& build, Shape shape, DType dtype, Layout layout);
/// A tensor with every element equal to `value`. Consumes no stream.
Tensor constant_tensor(const Build& build, Shape shape, double value);
/// The bound 1 / sqrt(fan_in) of PyTorch's default initialisation of convolutions and linear layers,
/// kaiming_uniform(a = sqrt 5), for weights and biases. `fan_in` is the dense one: input channels times all
/// taps, including dead ones.
double default_bound(std::int64_t fan_in);

}  // namespace umbra
