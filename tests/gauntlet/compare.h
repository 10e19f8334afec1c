// Comparison of a run with the wanted outputs, within a bound.
#pragma once

#include <string>

#include "engine/ops/op.h"
#include "tests/gauntlet/bound.h"

namespace umbra::gauntlet {

/// Compares all outputs of a run, `got`; returns a description of the first bad element, or nothing. With
/// `exact`, and for integers and bfloat16 always, they must be equal. Written so that a NaN anywhere fails.
/// `worst` keeps the largest error / tolerance.
std::string compare_outputs(const Op& op, const Values& got, const Values& want, const Bound& bound,
                            bool exact, double& worst);

}  // namespace umbra::gauntlet
