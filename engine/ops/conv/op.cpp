// Counts and buffers of a convolution.
#include "engine/ops/conv/op.h"

#include "engine/base/error.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {
namespace {

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

}  // namespace

ConvOp::ConvOp(DType type, const ConvGeometry& g, Precision operands, DType weights_)
    : Op(type), geometry(g), precision(operands), weights(weights_) {
  check_weights(dtype, precision, weights);
}

std::string ConvOp::text() const {
  return concat(geometry.text(), rounding_text(precision, weights));
}

double ConvOp::flops() const {
  const ConvGeometry& g = geometry;
  return 2 * as_double(g.batch) * as_double(g.group_inputs()) * as_double(g.out_channels) *
         as_double(g.live_pairs());
}

BufferSpec ConvOp::x(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.batch * geometry.in_channels * geometry.in_volume(), access};
}
BufferSpec ConvOp::w(std::string_view buffer, DType type, Access access) const {
  return {buffer, type, geometry.weights(), access};
}
BufferSpec ConvOp::y(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.batch * geometry.out_channels * geometry.out_volume(), access};
}

std::vector<BufferSpec> ConvFprop::buffers() const {
  return {x("x", Access::kIn), w("w", weights, Access::kIn), y("y", Access::kOut)};
}
double ConvFprop::sum_length() const {
  return as_double(geometry.group_inputs() * geometry.taps());
}

std::vector<BufferSpec> ConvDgrad::buffers() const {
  return {y("dy", Access::kIn), w("w", weights, Access::kIn), x("dx", Access::kOut)};
}
double ConvDgrad::sum_length() const {
  return as_double(geometry.group_outputs() * geometry.taps());
}

std::vector<BufferSpec> ConvWgrad::buffers() const {
  return {x("x", Access::kIn), y("dy", Access::kIn), w("dw", dtype, Access::kOut)};
}
double ConvWgrad::sum_length() const {
  return as_double(geometry.batch * geometry.out_volume());
}

}  // namespace umbra
