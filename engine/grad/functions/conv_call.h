// The problem of a convolution, checked, for conv and the functions it is fused into.
// Internal: included by the sources of this folder only, and not installed.
#pragma once

#include "engine/grad/functions.h"

namespace umbra {

struct ConvCall {
  ConvGeometry geometry;
  Shape out;    // [N, Cout, (oD,) oH, oW]
  Layout live;  // of the taps that touch data, which come first in the weights' memory

  /// The weights of these taps, as a buffer of an op.
  Tensor live_taps(const Tensor& w) const { return w.elements(0, live.stored(w.shape())); }
  /// The precision of the operands, which depends on the number of channels that are summed over.
  Precision precision(const Context& context) const {
    return context.precision.conv_operands(geometry.group_inputs());
  }
};

/// Throws Error unless x [N, Cin, (D,) H, W] and w [Cout, Cin / groups, (kD,) kH, kW] match.
ConvCall conv_call(const Var& x, const Var& w, const Triple& stride, const Triple& padding,
                   const Triple& dilation, std::int64_t groups);

}  // namespace umbra
