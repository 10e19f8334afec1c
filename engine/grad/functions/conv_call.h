// What conv and the functions it is fused into make of their input and weights.
#pragma once

#include "engine/grad/functions.h"

namespace umbra {

struct ConvCall {
  ConvGeometry geometry;
  Shape out;    // [N, Cout, (oD,) oH, oW]
  Layout live;  // of the taps that touch data, which stand in front in the weights' memory

  /// These taps, as the ops take them.
  Tensor live_taps(const Tensor& w) const { return w.elements(0, live.stored(w.shape())); }
  /// What the operands are rounded to: a matter of the channels that are summed over.
  Precision precision(const Context& context) const {
    return context.precision.conv_operands(geometry.group_inputs());
  }
};

/// Throws Error unless x [N, Cin, (D,) H, W] and w [Cout, Cin / groups, (kD,) kH, kW] fit one another.
ConvCall conv_call(const Var& x, const Var& w, const Triple& stride, const Triple& padding,
                   const Triple& dilation, std::int64_t groups);

}  // namespace umbra
