// Multiplication by one number that lives in memory,  x <- factor x  (gradient clipping, the chain rule of a
// loss), and the setting of a buffer to one value,  x <- value.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Scale final : public Op {
 public:
  Scale(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "scale"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kInOut}, {"factor", dtype, 1, Access::kIn}};
  }
  double flops() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

class SetValue final : public Op {
 public:
  SetValue(DType type, std::int64_t count_, double value_) : Op(type), count(count_), value(value_) {}
  std::string_view name() const override { return "set_value"; }
  std::string text() const override { return concat("n", count, " value", value); }
  std::vector<BufferSpec> buffers() const override { return {{"x", dtype, count, Access::kOut}}; }
  double flops() const override { return 0; }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
  double value;
};

}  // namespace umbra
