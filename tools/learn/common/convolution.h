// A convolution by hand, with both of its gradients, and the same by the engine: for lessons.
#pragma once

#include "tools/learn/common/numbers.h"

namespace umbra::learn {

/// Calls body(ix, iw, iy) for every product w[iw] x[ix] that a convolution adds to y[iy]. The arrays are row-major:
/// x [N, Cin, D, H, W], w [Cout, Cin, kD, kH, kW], y [N, Cout, oD, oH, oW].
template <class Body>
void for_each_product(const ConvGeometry& g, const Body& body) {
  const Triple out = g.out();
  for (std::int64_t o = 0; o < g.out_volume(); ++o)
    for (std::int64_t t = 0; t < g.taps(); ++t) {
      const Triple at{o / (out[1] * out[2]), o / out[2] % out[1], o % out[2]};
      const Triple tap{t / (g.kernel[1] * g.kernel[2]), t / g.kernel[2] % g.kernel[1], t % g.kernel[2]};
      std::int64_t i = 0;
      bool data = true;
      for (std::size_t a = 0; a < 3; ++a) {
        const std::int64_t position = at[a] * g.stride[a] - g.padding[a] + tap[a];
        data = data && position >= 0 && position < g.in[a];
        i = i * g.in[a] + position;
      }
      if (!data) continue;  // padding: the product is zero
      for (std::int64_t n = 0; n < g.batch; ++n)
        for (std::int64_t k = 0; k < g.out_channels; ++k)
          for (std::int64_t c = 0; c < g.in_channels; ++c)
            body((n * g.in_channels + c) * g.in_volume() + i, (k * g.in_channels + c) * g.taps() + t,
                 (n * g.out_channels + k) * g.out_volume() + o);
    }
}

/// The input and weights of a convolution, and the gradient dy of the loss sum(dy y).
struct Problem {
  Numbers x, w, dy;
};
/// Its output, and the gradients of the loss.
struct Solution {
  Numbers y, dx, dw;
};

inline Solution by_hand(const ConvGeometry& g, const Problem& p) {
  Solution s{Numbers(p.dy.size()), Numbers(p.x.size()), Numbers(p.w.size())};
  for_each_product(g, [&](auto ix, auto iw, auto iy) {
    s.y.data()[iy] += p.w.data()[iw] * p.x.data()[ix];
    s.dx.data()[ix] += p.w.data()[iw] * p.dy.data()[iy];
    s.dw.data()[iw] += p.x.data()[ix] * p.dy.data()[iy];
  });
  return s;
}

inline Solution by_engine(Context& context, const ConvGeometry& g, const Problem& p,
                          DType dtype = DType::kF64) {
  const auto shape = [](std::int64_t a, std::int64_t b, const Triple& s) {
    return Shape{a, b, s[0], s[1], s[2]};
  };
  const Var x = leaf(context, p.x, shape(g.batch, g.in_channels, g.in), dtype);
  const Var w =
      leaf(context, p.w, shape(g.out_channels, g.in_channels, g.kernel), dtype, conv_weight_layouts(g).value);
  Tape tape(context);
  Pass pass{context, &tape};
  const Var y = conv(pass, x, w, g.stride, g.padding);
  backward_from(pass, y, p.dy);
  const auto numbers = [&](const Tensor& tensor) { return to_host(tensor, context.stream); };
  return {numbers(y->value), numbers(x->grad), numbers(w->grad)};
}

}  // namespace umbra::learn
