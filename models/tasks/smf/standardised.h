// The loss of standardised mass functions, whose bins are of very different sizes.
#pragma once

#include <functional>
#include <vector>

#include "engine/grad/functions.h"

namespace umbra {

/// The numbers as a tensor f32 [numbers] on the device of `context`.
Tensor tensor_of(const std::vector<double>& numbers, Context& context);

/// The loss: mean squared error of z = (value - shift) / scale, for predictions and targets [N, K] in units
/// of the values. `scale` and `shift`: [K].
std::function<Var(Pass&, const Var& prediction, const Tensor& target)> standardised_mse(
    const std::vector<double>& scale, const std::vector<double>& shift, Context& context);

}  // namespace umbra
