// Elementwise sum  y = a + b  (the residual connection; the accumulation of gradients).
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Add final : public Op {
 public:
  Add(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "add"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"a", dtype, count, Access::kIn},
            {"b", dtype, count, Access::kIn},
            {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

}  // namespace umbra
