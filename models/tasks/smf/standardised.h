// The loss of standardised mass functions, whose bins are of very different sizes.
#pragma once

#include <functional>
#include <vector>

#include "engine/grad/functions.h"

namespace umbra {

/// As f32 [numbers] on the context's device.
Tensor tensor_of(const std::vector<double>& numbers, Context& context);

/// Mean squared error of z = (value - shift) / scale, of predictions and targets [N, K] in units of the values.
std::function<Var(Pass&, const Var& prediction, const Tensor& target)> standardised_mse(
    const std::vector<double>& scale, const std::vector<double>& shift, Context& context);

}  // namespace umbra
