// The packed forms of weights (Variable::packed). A form is made when an op first reads it; from then on all forms that
// exist are made again together, after an optimiser or somebody else has written the weights.
#pragma once

#include <span>

#include "engine/grad/tape.h"

namespace umbra {

/// `form` of the weights of a convolution [Cout, Cin, (kD,) kH, kW], which an op reads. The first call for a form packs
/// it and waits for the stream of `context`, so that other streams and threads may read it, too. Throws Error if that
/// stream is being captured, which cannot be waited for: queue a pass before it is captured.
Tensor packed_form(Context& context, Variable& weights, Tensor PackedWeights::*form);
/// Packs the forms that `variables` have, in one call of an op. The work is queued.
void pack_weights(Context& context, std::span<const Var> variables);
/// The same on a stream of its own, for which it waits. The weights must have been written.
void renew_packed(std::span<const Var> variables);

}  // namespace umbra
