// Fully connected layer:  y[n, m] = sum over k of w[m, k] x[n, k] + b[m]  (weights [out, in], as PyTorch's),
// with adjoints dx = dy w,  dw = dy^T x,  db = sum over n of dy. Without a bias its buffer has no elements.
//
// With precision tf32 or bf16, x, w and dy are rounded wherever they are multiplied, as in conv; b and the
// sum db are not rounded. With precision bf16, fprop and dgrad may read the weights as bfloat16, already
// rounded: the bf16 copy that the optimisers write alongside the weights.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {

class LinearOp : public Op {
 public:
  LinearOp(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_,
           Precision operands = Precision::kF32)
      : LinearOp(type, rows_, in_, out_, bias_, operands, type) {}
  /// `weights_` is the type of w in memory: `type` or, with precision bf16, kBf16.
  LinearOp(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_,
           Precision operands, DType weights_)
      : Op(type), rows(rows_), in(in_), out(out_), bias(bias_), precision(operands), weights(weights_) {
    check_weights(dtype, precision, weights);
  }
  std::string text() const override {
    return concat("n", rows, " f", in, ":", out, bias ? "" : " nobias", rounding_text(precision, weights));
  }
  double flops() const override { return 2 * static_cast<double>(rows * in * out); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
  bool bias;
  Precision precision;  // both operands are rounded to it; sums and memory are of `dtype`
  DType weights;        // of w in memory
};

class LinearFprop final : public LinearOp {
 public:
  using LinearOp::LinearOp;
  static constexpr std::string_view kName = "linear_fprop";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * in, Access::kIn},
            {"w", weights, out * in, Access::kIn},
            {"b", dtype, bias ? out : 0, Access::kIn},
            {"y", dtype, rows * out, Access::kOut}};
  }
  double sum_length() const override { return static_cast<double>(in) + 1; }
};

class LinearDgrad final : public LinearOp {
 public:
  using LinearOp::LinearOp;
  static constexpr std::string_view kName = "linear_dgrad";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, rows * out, Access::kIn},
            {"w", weights, out * in, Access::kIn},
            {"dx", dtype, rows * in, Access::kOut}};
  }
  double sum_length() const override { return static_cast<double>(out); }
};

class LinearWgrad final : public LinearOp {
 public:
  LinearWgrad(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_,
              Precision operands = Precision::kF32)
      : LinearOp(type, rows_, in_, out_, bias_, operands) {}
  static constexpr std::string_view kName = "linear_wgrad";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * in, Access::kIn},
            {"dy", dtype, rows * out, Access::kIn},
            {"dw", dtype, out * in, Access::kOut},
            {"db", dtype, bias ? out : 0, Access::kOut}};
  }
  double sum_length() const override { return static_cast<double>(rows); }
};

}  // namespace umbra
