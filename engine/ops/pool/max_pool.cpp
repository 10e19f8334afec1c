#include "engine/ops/pool/max_pool.h"

#include "engine/base/error.h"
#include "engine/ops/pool/max_pool_reference.h"

namespace umbra {
namespace {

std::string extents(const Triple& t) {
  return concat(t[0], "x", t[1], "x", t[2]);
}

/// (output, tap) pairs of one volume that touch data.
double live_pairs(const PoolGeometry& g) {
  double product = 1;
  for (int axis = 0; axis < 3; ++axis) {
    std::int64_t pairs = 0;
    for (std::int64_t o = 0; o < g.out(axis); ++o)
      pairs += pool_range(g, o, axis).end - pool_range(g, o, axis).begin;
    product *= static_cast<double>(pairs);
  }
  return product;
}

}  // namespace

void PoolGeometry::check() const {
  require(batch > 0 && channels > 0, "max pooling needs a positive batch and number of channels, not ",
          *this);
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0,
            "max pooling needs positive extents, kernels and strides, not ", *this);
    require(padding[a] >= 0 && padding[a] <= kernel[a] / 2,
            "max pooling needs a padding between 0 and half its kernel, not ", *this);
    require(in[a] + 2 * padding[a] >= kernel[a] && out(axis) > 0, "max pooling has no output for ", *this);
  }
}

std::string PoolGeometry::text() const {
  return concat("n", batch, " c", channels, " i", extents(in), " k", extents(kernel), " s", extents(stride),
                " p", extents(padding));
}

std::vector<BufferSpec> MaxPoolForward::buffers() const {
  const PoolGeometry& g = geometry;
  return {{"x", dtype, g.row() * g.in_volume(), Access::kIn},
          {"y", dtype, g.row() * g.out_volume(), Access::kOut},
          {"argmax", DType::kI32, g.row() * g.out_volume(), Access::kOut}};
}

double MaxPoolForward::flops() const {
  return static_cast<double>(geometry.row()) * live_pairs(geometry);
}

std::vector<BufferSpec> MaxPoolBackward::buffers() const {
  const PoolGeometry& g = geometry;
  return {{"dy", dtype, g.row() * g.out_volume(), Access::kIn},
          {"argmax", DType::kI32, g.row() * g.out_volume(), Access::kIn, Fill::kIndex, g.in_volume()},
          {"dx", dtype, g.row() * g.in_volume(), Access::kOut}};
}

double MaxPoolBackward::flops() const {
  return static_cast<double>(geometry.row() * geometry.out_volume());
}

double MaxPoolBackward::sum_length() const {
  double length = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    length *= static_cast<double>((geometry.kernel[a] + geometry.stride[a] - 1) / geometry.stride[a]);
  }
  return length;
}

}  // namespace umbra
