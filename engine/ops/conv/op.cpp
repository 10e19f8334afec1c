// Counts, checks and buffers of a convolution.
#include "engine/ops/conv/op.h"

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

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

}  // namespace

std::int64_t ConvGeometry::live_pairs() const {
  return live_pairs_on(*this, 0) * live_pairs_on(*this, 1) * live_pairs_on(*this, 2);
}

std::int64_t ConvGeometry::live_taps() const {
  return number_live_taps(*this, {});
}

void ConvGeometry::check() const {
  require(batch > 0 && in_channels > 0 && out_channels > 0, "convolution ", text(),
          ": batch and channels must be positive");
  for (std::size_t a = 0; a < 3; ++a) {
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0, "convolution ", text(),
            ": extents, kernel and stride must be positive");
    require(padding[a] >= 0, "convolution ", text(), ": padding must not be negative");
    require(in[a] + 2 * padding[a] >= kernel[a], "convolution ", text(), ": the kernel of ", kernel[a],
            " is larger than the padded extent ", in[a] + 2 * padding[a], ", so the output would be empty");
  }
}

std::string ConvGeometry::text() const {
  return concat("n", batch, " c", in_channels, ":", out_channels, " i", joined(in), " k", joined(kernel),
                " s", joined(stride), " p", joined(padding));
}

double ConvOp::flops() const {
  const ConvGeometry& g = geometry;
  return 2 * as_double(g.batch) * as_double(g.in_channels) * as_double(g.out_channels) *
         as_double(g.live_pairs());
}

BufferSpec ConvOp::x(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.batch * geometry.in_channels * geometry.in_volume(), access};
}
BufferSpec ConvOp::w(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.out_channels * geometry.in_channels * geometry.taps(), access};
}
BufferSpec ConvOp::y(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.batch * geometry.out_channels * geometry.out_volume(), access};
}

std::vector<BufferSpec> ConvFprop::buffers() const {
  return {x("x", Access::kIn), w("w", Access::kIn), y("y", Access::kOut)};
}
double ConvFprop::sum_length() const {
  return as_double(geometry.in_channels * geometry.taps());
}

std::vector<BufferSpec> ConvDgrad::buffers() const {
  return {y("dy", Access::kIn), w("w", Access::kIn), x("dx", Access::kOut)};
}
double ConvDgrad::sum_length() const {
  return as_double(geometry.out_channels * geometry.taps());
}

std::vector<BufferSpec> ConvWgrad::buffers() const {
  return {x("x", Access::kIn), y("dy", Access::kIn), w("dw", Access::kOut)};
}
double ConvWgrad::sum_length() const {
  return as_double(geometry.batch * geometry.out_volume());
}

}  // namespace umbra
