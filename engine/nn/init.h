// Initial values of parameters, drawn by Philox: element i of a tensor, in row-major
// order whatever its layout, is a function of (seed, stream, i).
#pragma once

#include "engine/nn/module.h"

namespace umbra {

/// Uniform in [-bound, bound), from the next stream of `build`; arbitrary contents where build.learns is
/// false.
Tensor uniform_tensor(Build& build, Shape shape, double bound, Layout layout = {});
/// Arbitrary contents; takes the next stream of `build` like uniform_tensor.
Tensor unset_tensor(Build& build, Shape shape, DType dtype, Layout layout);
/// Every element `value`; takes no stream.
Tensor constant_tensor(const Build& build, Shape shape, double value);
/// PyTorch's default for convolutions and linear layers, kaiming_uniform(a = sqrt 5): bound = 1 /
/// sqrt(fan_in), with the dense fan-in (input channels times all taps, dead ones too). Biases use the same
/// bound.
double default_bound(std::int64_t fan_in);

}  // namespace umbra
