#include "engine/ops/pool/pool_geometry.h"

#include <limits>
#include <numeric>

#include "engine/base/error.h"

namespace umbra {
namespace {

std::string extents(const Triple& t) {
  return concat(t[0], "x", t[1], "x", t[2]);
}

}  // namespace

double PoolGeometry::live_pairs() const {
  double product = 1;
  for (int axis = 0; axis < 3; ++axis) {
    std::int64_t pairs = 0;
    for (std::int64_t o = 0; o < out(axis); ++o) pairs += pool_range(*this, o, axis).count();
    product *= static_cast<double>(pairs);
  }
  return product;
}

double PoolGeometry::most_windows_over_an_input() const {
  double product = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    // o * stride + t * dilation is the same for windows o that are dilation / gcd apart.
    const std::int64_t common = std::gcd(stride[a], dilation[a]);
    const std::int64_t windows = (kernel[a] - 1) * common / stride[a] + 1;
    product *= static_cast<double>(windows);
  }
  return product;
}

void PoolGeometry::check(std::string_view pooling) const {
  require(batch > 0 && channels > 0, pooling, " needs a positive batch and number of channels, not ", *this);
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0, pooling,
            " needs positive extents, kernels and strides, not ", *this);
    require(dilation[a] > 0 && dilation[a] <= std::numeric_limits<std::int32_t>::max(), pooling,
            " needs a dilation that is positive and less than 2^31, not ", *this);
    require(padding[a] >= 0 && padding[a] <= kernel[a] / 2, pooling,
            " needs a padding between 0 and half its kernel, not ", *this);
    require(room_to_move(axis) >= 0 && out(axis) > 0, pooling, " has no output for ", *this);
    // Taps that are far apart may step over a small input.
    for (std::int64_t o = 0; o < out(axis) && o * stride[a] < padding[a]; ++o) {
      require(pool_range(*this, o, axis).count() > 0, pooling,
              " needs a number under every window, but one is entirely in the padding for ", *this);
    }
  }
}

std::string PoolGeometry::text() const {
  return concat("n", batch, " c", channels, " i", extents(in), " k", extents(kernel), " s", extents(stride),
                " p", extents(padding), dilation == Triple{1, 1, 1} ? "" : " d" + extents(dilation),
                ceil ? " ceil" : "");
}

}  // namespace umbra
