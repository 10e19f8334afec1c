// Counts and buffers of a convolution.
#include "engine/ops/conv/op.h"

#include "engine/base/error.h"

namespace umbra {
namespace {

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

}  // namespace

std::string ConvOp::text() const {
  return precision == Precision::kF32 ? geometry.text() : concat(geometry.text(), " ", name_of(precision));
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
  return {buffer, dtype, geometry.live_taps() * geometry.in_channels * geometry.out_channels, access};
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
