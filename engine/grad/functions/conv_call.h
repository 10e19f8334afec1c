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
};

/// Throws Error unless x [N, Cin, (D,) H, W] and w [Cout, Cin, (kD,) kH, kW] fit one another.
ConvCall conv_call(const Var& x, const Var& w, const Triple& stride, const Triple& padding);

}  // namespace umbra
