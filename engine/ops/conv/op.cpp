// Counts and buffers of a convolution.
#include "engine/ops/conv/op.h"

#include "engine/base/error.h"
#include "engine/ops/conv/packed_weights.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {
namespace {

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

// A packed operand that a kernel reads: [positions][rows][columns], with gaps after each row.
BufferSpec packed_input(const ConvOp& op, std::string_view buffer, std::int64_t positions, std::int64_t rows,
                        std::int64_t columns) {
  return {buffer, packed_type(op.precision, op.dtype), positions * rows * packed_pitch(op.precision, columns),
          Access::kIn};
}

}  // namespace

ConvOp::ConvOp(DType type, const ConvGeometry& g, Precision operands, DType weights_)
    : Op(type), geometry(g), precision(operands), weights(weights_) {
  check_weights(dtype, precision, weights);
}

std::string ConvOp::text() const {
  return concat(geometry.text(), rounding_text(precision, weights), packed_weights_text(weights_packed),
                packed ? " packed" : "");
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
  const ConvGeometry& g = geometry;
  return {packed ? packed_input(*this, "x", g.in_volume(), g.batch, g.in_channels) : x("x", Access::kIn),
          weights_packed ? packed_weights_of_fprop(g, precision, dtype) : w("w", weights, Access::kIn),
          y("y", Access::kOut)};
}
double ConvFprop::sum_length() const {
  return as_double(geometry.group_inputs() * geometry.taps());
}

std::string ConvDgrad::text() const {
  return concat(ConvOp::text(), addend ? " addend" : "");
}
std::vector<BufferSpec> ConvDgrad::buffers() const {
  const ConvGeometry& g = geometry;
  BufferSpec other = x("addend", Access::kIn);
  if (!addend) other.count = 0;
  return {packed ? packed_input(*this, "dy", g.out_volume(), g.batch, g.out_channels) : y("dy", Access::kIn),
          weights_packed ? packed_weights_of_dgrad(g, precision, dtype) : w("w", weights, Access::kIn),
          x("dx", Access::kOut), other};
}
double ConvDgrad::sum_length() const {
  return as_double(geometry.group_outputs() * geometry.taps() + (addend ? 1 : 0));
}

std::vector<BufferSpec> ConvWgrad::buffers() const {
  const ConvGeometry& g = geometry;
  const BufferSpec out = w("dw", dtype, Access::kOut);
  if (!packed) return {x("x", Access::kIn), y("dy", Access::kIn), out};
  return {packed_input(*this, "x", g.in_volume(), g.in_channels, g.batch),
          packed_input(*this, "dy", g.out_volume(), g.out_channels, g.batch), out};
}
double ConvWgrad::sum_length() const {
  return as_double(geometry.batch * geometry.out_volume());
}

}  // namespace umbra
