// Counts and checks of a convolution's geometry.
#include "engine/ops/conv/geometry.h"

#include <algorithm>
#include <limits>

#include "engine/base/error.h"
#include "engine/ops/conv/taps.h"

namespace umbra {
namespace {

// Pairs (output position, tap) on one axis whose input position lies inside the volume.
std::int64_t live_pairs_on(const ConvGeometry& g, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  std::int64_t pairs = 0;
  for (std::int64_t o = 0; o < g.out(axis); ++o) {
    const std::int64_t first = o * g.stride[a] - g.padding[a];  // input position of tap 0
    const auto taps_over = [&](std::int64_t n) {                // taps within n positions from the first on
      return n <= 0 ? 0 : std::min(g.kernel[a], (n + g.dilation[a] - 1) / g.dilation[a]);
    };
    pairs += taps_over(g.in[a] - first) - taps_over(-first);
  }
  return pairs;
}

std::string joined(const Triple& t) {
  return concat(t[0], "x", t[1], "x", t[2]);
}

}  // namespace

std::int64_t ConvGeometry::live_pairs() const {
  return live_pairs_on(*this, 0) * live_pairs_on(*this, 1) * live_pairs_on(*this, 2);
}

std::int64_t ConvGeometry::live_taps() const {
  return number_live_taps(*this, {});
}

std::vector<std::int32_t> ConvGeometry::live_tap_list() const {
  std::vector<std::int32_t> slots(static_cast<std::size_t>(taps())), list;
  number_live_taps(*this, slots);
  for (std::size_t t = 0; t < slots.size(); ++t) {
    if (slots[t] >= 0) list.push_back(static_cast<std::int32_t>(t));
  }
  return list;
}

void ConvGeometry::check() const {
  require(batch > 0 && in_channels > 0 && out_channels > 0, "convolution ", *this,
          ": batch and channels must be positive");
  require(groups > 0, "convolution ", *this, ": the number of groups must be positive");
  require(in_channels % groups == 0 && out_channels % groups == 0, "convolution ", *this,
          ": both numbers of channels must be divisible by the number of groups");
  for (std::size_t a = 0; a < 3; ++a) {
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0, "convolution ", *this,
            ": extents, kernel and stride must be positive");
    require(padding[a] >= 0, "convolution ", *this, ": padding must not be negative");
    require(dilation[a] > 0 && dilation[a] <= std::numeric_limits<std::int32_t>::max(), "convolution ", *this,
            ": dilation must be positive and less than 2^31");
    const std::int64_t extent = in[a] + 2 * padding[a];
    require(extent >= kernel[a], "convolution ", *this, ": the kernel of ", kernel[a],
            " is larger than the padded extent ", extent, ", so the output would be empty");
    require(kernel[a] == 1 || dilation[a] <= (extent - 1) / (kernel[a] - 1), "convolution ", *this,
            ": the kernel of ", kernel[a], " with dilation ", dilation[a],
            " reaches further than the padded extent ", extent, ", so the output would be empty");
  }
}

std::string ConvGeometry::text() const {
  return concat("n", batch, " c", in_channels, ":", out_channels, " i", joined(in), " k", joined(kernel),
                " s", joined(stride), " p", joined(padding),
                dilation == Triple{1, 1, 1} ? "" : concat(" d", joined(dilation)),
                groups == 1 ? "" : concat(" g", groups));
}

double conv_bytes(const ConvGeometry& g) {
  const double inputs = static_cast<double>(g.in_volume() * g.in_channels) * static_cast<double>(g.batch);
  const double outputs = static_cast<double>(g.out_volume() * g.out_channels) * static_cast<double>(g.batch);
  return 4 * (inputs + outputs + static_cast<double>(g.weights()));
}

std::string declines_dilation(const ConvGeometry& g) {
  return g.dilation == Triple{1, 1, 1} ? "" : "it supports only kernels without dilation";
}
std::string declines_groups(const ConvGeometry& g) {
  return g.groups == 1 ? "" : "it supports only one group";
}

}  // namespace umbra
