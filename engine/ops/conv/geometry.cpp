// Counts and checks of a convolution's geometry.
#include "engine/ops/conv/geometry.h"

#include <algorithm>

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
    pairs +=
        std::max<std::int64_t>(0, std::min(g.kernel[a], g.in[a] - first) - std::max<std::int64_t>(0, -first));
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
  for (std::size_t a = 0; a < 3; ++a) {
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0, "convolution ", *this,
            ": extents, kernel and stride must be positive");
    require(padding[a] >= 0, "convolution ", *this, ": padding must not be negative");
    require(in[a] + 2 * padding[a] >= kernel[a], "convolution ", *this, ": the kernel of ", kernel[a],
            " is larger than the padded extent ", in[a] + 2 * padding[a], ", so the output would be empty");
  }
}

std::string ConvGeometry::text() const {
  return concat("n", batch, " c", in_channels, ":", out_channels, " i", joined(in), " k", joined(kernel),
                " s", joined(stride), " p", joined(padding));
}

double conv_bytes(const ConvGeometry& g) {
  const double inputs = static_cast<double>(g.in_volume() * g.in_channels) * static_cast<double>(g.batch);
  const double outputs = static_cast<double>(g.out_volume() * g.out_channels) * static_cast<double>(g.batch);
  return 4 * (inputs + outputs + static_cast<double>(g.live_taps() * g.in_channels * g.out_channels));
}

}  // namespace umbra
