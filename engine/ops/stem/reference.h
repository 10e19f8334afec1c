// The definition of the stem as the composition of convolution, batch norm, ReLU and max-pooling, in plain
// loops on any scalar, with the output of the convolution in the workspace. Sums are held in double for
// float.
#pragma once

#include <cmath>
#include <cstddef>

#include "engine/ops/kernel.h"
#include "engine/ops/stem/reference_parts.h"

namespace umbra {

template <class T>
void stem3d_forward_reference(const Stem3dForward& op, Buffers buffers, void* workspace, Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const StemGeometry& g = op.geometry;
  const T* x = buffers.in<T>(0);        // [N][Cin][D][H][W]
  const T* w = buffers.in<T>(1);        // [live tap][Cin][C]
  const T* gamma = buffers.in<T>(2);    // [C]
  const T* beta = buffers.in<T>(3);     // [C]
  T* running_mean = buffers.out<T>(4);  // [C]
  T* running_var = buffers.out<T>(5);   // [C]
  T* y = buffers.out<T>(6);             // [q][C][N]
  auto* winner = buffers.out<std::uint8_t>(7);
  T* mean = buffers.out<T>(8);        // [C]
  T* invstd = buffers.out<T>(9);      // [C]
  T* z = static_cast<T*>(workspace);  // [N][C][O]
  stem_convolution(g, x, w, z);
  const double count = static_cast<double>(g.batch * g.conv_volume());
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const auto z_at = [&](std::int64_t n, std::int64_t od, std::int64_t oh, std::int64_t ow) {
      const std::int64_t row = (n * g.channels + c) * g.conv_out(0) + od;
      return W(z[(row * g.conv_out(1) + oh) * g.conv_out(2) + ow]);
    };
    const W m = stem_sum<W>(g, z_at) / W(count);
    const W var =
        stem_sum<W>(g, [&](auto... at) { return (z_at(at...) - m) * (z_at(at...) - m); }) / W(count);
    const W inverse = W(1) / sqrt(var + W(op.epsilon));
    stem_normalize(g, c, m, inverse, gamma[c], beta[c], z);
    mean[c] = T(m);
    invstd[c] = T(inverse);
    const W keep(1 - op.momentum), take(op.momentum);
    running_mean[c] = T(keep * W(running_mean[c]) + take * m);
    running_var[c] = T(keep * W(running_var[c]) + take * var * W(count / (count - 1)));
  }
  stem_pool(g, z, y, winner);
  stem_patch_statistics(g, x, buffers.out<W>(10), buffers.out<W>(11));
}

template <class T>
void stem3d_inference_reference(const Stem3dInference& op, Buffers buffers, void* workspace, Stream&) {
  using std::sqrt;
  using W = Accumulator<T>;
  const StemGeometry& g = op.geometry;
  const T* gamma = buffers.in<T>(2);         // [C]
  const T* beta = buffers.in<T>(3);          // [C]
  const T* running_mean = buffers.in<T>(4);  // [C]
  const T* running_var = buffers.in<T>(5);   // [C]
  T* z = static_cast<T*>(workspace);         // [N][C][O]
  stem_convolution(g, buffers.in<T>(0), buffers.in<T>(1), z);
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const W inverse = W(1) / sqrt(W(running_var[c]) + W(op.epsilon));
    stem_normalize(g, c, W(running_mean[c]), inverse, gamma[c], beta[c], z);
  }
  stem_pool<T>(g, z, buffers.out<T>(6), nullptr);
}

/// dz [N][C][O], the gradient of the affine map's output: dy where an element won its window.
template <class T>
void stem_unpool(const StemGeometry& g, const T* dy, const std::uint8_t* winner, T* dz) {
  const std::int64_t outputs = g.conv_volume(), rows = g.channels * g.batch;
  for (std::int64_t e = 0; e < g.batch * g.channels * outputs; ++e) dz[e] = T(0);
  for_each_pool_pair(g, [&](std::int64_t q, std::int64_t tap, std::int64_t o) {
    for (std::int64_t c = 0; c < g.channels; ++c) {
      for (std::int64_t n = 0; n < g.batch; ++n) {
        const std::int64_t e = q * rows + c * g.batch + n;
        if (winner[e] == tap) dz[(n * g.channels + c) * outputs + o] += dy[e];
      }
    }
  });
}

/// dw of channel c from dz [N][C][O], the gradient of the convolution's output.
template <class T>
void stem_weight_gradient(const StemGeometry& g, std::int64_t c, const T* x, const T* dz, T* dw) {
  for (std::int64_t ci = 0; ci < g.in_channels; ++ci) {
    for (std::int64_t slot = 0; slot < g.live_taps(); ++slot)
      dw[(slot * g.in_channels + ci) * g.channels + c] = T(0);
    for (std::int64_t n = 0; n < g.batch; ++n) {
      const T* from = x + (n * g.in_channels + ci) * g.in_volume();
      const T* gradient = dz + (n * g.channels + c) * g.conv_volume();
      for_each_stem_pair(g, [&](std::int64_t o, std::int64_t slot, std::int64_t i) {
        dw[(slot * g.in_channels + ci) * g.channels + c] += gradient[o] * from[i];
      });
    }
  }
}

template <class T>
void stem3d_backward_reference(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream&) {
  using W = Accumulator<T>;
  const StemGeometry& g = op.geometry;
  const T* dy = buffers.in<T>(0);                    // [q][C][N]
  const T* x = buffers.in<T>(1);                     // [N][Cin][D][H][W]
  const T* w = buffers.in<T>(2);                     // [live tap][Cin][C]
  const T* gamma = buffers.in<T>(3);                 // [C]
  const T* mean = buffers.in<T>(4);                  // [C]
  const T* invstd = buffers.in<T>(5);                // [C]
  const auto* winner = buffers.in<std::uint8_t>(6);  // [q][C][N]
  T* dw = buffers.out<T>(9);                         // [live tap][Cin][C]
  T* dgamma = buffers.out<T>(10);                    // [C]
  T* dbeta = buffers.out<T>(11);                     // [C]
  const std::int64_t outputs = g.conv_volume();
  T* z = static_cast<T*>(workspace);           // [N][C][O]
  T* dz = z + g.batch * g.channels * outputs;  // [N][C][O]
  stem_convolution(g, x, w, z);
  stem_unpool(g, dy, winner, dz);
  const W count(static_cast<double>(g.batch * outputs));
  for (std::int64_t c = 0; c < g.channels; ++c) {
    W sum(0), sum_xhat(0);
    const auto xhat = [&](std::int64_t e) { return (W(z[e]) - W(mean[c])) * W(invstd[c]); };
    const auto for_channel = [&](const auto& body) {
      for (std::int64_t n = 0; n < g.batch; ++n) {
        for (std::int64_t o = 0; o < outputs; ++o) body((n * g.channels + c) * outputs + o);
      }
    };
    for_channel([&](std::int64_t e) {
      sum += W(dz[e]);
      sum_xhat += W(dz[e]) * xhat(e);
    });
    for_channel([&](std::int64_t e) {
      dz[e] = T(W(gamma[c]) * W(invstd[c]) * (W(dz[e]) - sum / count - xhat(e) * sum_xhat / count));
    });
    dgamma[c] = T(sum_xhat);
    dbeta[c] = T(sum);
    stem_weight_gradient(g, c, x, dz, dw);
  }
}

inline std::size_t stem3d_backward_reference_workspace(const Stem3dBackward& op) {
  return 2 * stem_output_bytes(op);
}

}  // namespace umbra
