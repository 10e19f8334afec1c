#include "engine/ops/pool/max_pool.h"

namespace umbra {

std::vector<BufferSpec> MaxPoolForward::buffers() const {
  const PoolGeometry& g = geometry;
  return {{"x", dtype, g.row() * g.in_volume(), Access::kIn},
          {"y", dtype, g.row() * g.out_volume(), Access::kOut},
          {"argmax", DType::kI32, g.row() * g.out_volume(), Access::kOut}};
}

double MaxPoolForward::flops() const {
  return static_cast<double>(geometry.row()) * geometry.live_pairs();
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
  return geometry.most_windows_over_an_input();
}

}  // namespace umbra
