// The packed forms of weights (Variable::packed): every step of training reads them twice, so that they are made once,
// for all layers together, after an optimiser has written the weights.
#pragma once

#include <span>

#include "engine/grad/tape.h"

namespace umbra {

/// Gives the weights of a convolution [Cout, Cin, (kD,) kH, kW] on a GPU memory for their packed forms: both, or with
/// `learns` false the one of inference.
void keep_packed(Variable& weights, bool learns);
/// Packs those of `variables` that have packed forms, in one call of an op. The work is queued.
void pack_weights(Context& context, std::span<const Var> variables);

}  // namespace umbra
