#include "engine/ops/pool/average_pool.h"

#include "engine/base/error.h"

namespace umbra {

AveragePoolOp::AveragePoolOp(DType type, const PoolGeometry& g, bool count_padding_)
    : Op(type), geometry(g), count_padding(count_padding_) {
  require(g.dilation == Triple{1, 1, 1}, "average pooling supports only windows without dilation, not ", g);
}

std::string AveragePoolOp::text() const {
  return concat(geometry, count_padding ? "" : " count_padding=off");
}

double AveragePoolOp::flops() const {
  return static_cast<double>(geometry.row()) * geometry.live_pairs();
}

std::vector<BufferSpec> AveragePoolForward::buffers() const {
  return {{"x", dtype, geometry.row() * geometry.in_volume(), Access::kIn},
          {"y", dtype, geometry.row() * geometry.out_volume(), Access::kOut}};
}

double AveragePoolForward::sum_length() const {
  return static_cast<double>(geometry.kernel[0] * geometry.kernel[1] * geometry.kernel[2]);
}

std::vector<BufferSpec> AveragePoolBackward::buffers() const {
  return {{"dy", dtype, geometry.row() * geometry.out_volume(), Access::kIn},
          {"dx", dtype, geometry.row() * geometry.in_volume(), Access::kOut}};
}

double AveragePoolBackward::sum_length() const {
  return geometry.most_windows_over_an_input();
}

}  // namespace umbra
