// The labels of classes from a float, as the target of a sample holds them:  y = x rounded towards 0, as i32.
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

class ToLabels final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "to_labels";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", DType::kI32, count, Access::kOut}};
  }
};

template <class T>
void to_labels_reference(const ToLabels& op, Buffers b, void*, Stream&) {
  for (std::int64_t i = 0; i < op.count; ++i)
    b.out<std::int32_t>(1)[i] = static_cast<std::int32_t>(b.in<T>(0)[i]);
}

}  // namespace umbra
