#include "tools/learn/07_convolution/exercises.h"

#include "tools/learn/common/check.h"

namespace umbra::learn {

std::int64_t output_size(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding) {
  // BLANK 1: return the number of steps of `stride` that the kernel can take in the padded input, plus one
  return (size + 2 * padding - taps) / stride + 1;
  // END
}

std::vector<double> convolve(const std::vector<double>& x, const std::vector<double>& w, std::int64_t stride,
                             std::int64_t padding) {
  const auto size = static_cast<std::int64_t>(x.size()), taps = static_cast<std::int64_t>(w.size());
  std::vector<double> y(static_cast<std::size_t>(output_size(size, taps, stride, padding)));
  // BLANK 2: add to every y[o] the products of taps and the inputs that they meet; skip the padding
  for (std::int64_t o = 0; o < static_cast<std::int64_t>(y.size()); ++o)
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int64_t i = o * stride - padding + t;
      if (i >= 0 && i < size)
        y[static_cast<std::size_t>(o)] += w[static_cast<std::size_t>(t)] * x[static_cast<std::size_t>(i)];
    }
  // END
  return y;
}

std::int64_t live_taps(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding) {
  // BLANK 3: count the taps that meet data on one axis, and combine the three axes
  std::int64_t live = 0;
  for (std::int64_t t = 0; t < taps; ++t) {
    bool meets = false;
    for (std::int64_t o = 0; o < output_size(size, taps, stride, padding); ++o) {
      const std::int64_t i = o * stride - padding + t;
      meets = meets || (i >= 0 && i < size);
    }
    live += meets ? 1 : 0;
  }
  return live * live * live;
  // END
}

}  // namespace umbra::learn
