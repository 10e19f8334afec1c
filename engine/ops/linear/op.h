// Fully connected layer:  y[n, m] = sum over k of w[m, k] x[n, k] + b[m]  (weights [out, in], as PyTorch's),
// with adjoints dx = dy w,  dw = dy^T x,  db = sum over n of dy. Without a bias its buffer has no elements.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class LinearFprop final : public Op {
 public:
  LinearFprop(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_)
      : Op(type), rows(rows_), in(in_), out(out_), bias(bias_) {}
  std::string_view name() const override { return "linear_fprop"; }
  std::string text() const override { return concat("n", rows, " f", in, ":", out, bias ? "" : " nobias"); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * in, Access::kIn},
            {"w", dtype, out * in, Access::kIn},
            {"b", dtype, bias ? out : 0, Access::kIn},
            {"y", dtype, rows * out, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(rows * in * out); }
  double sum_length() const override { return static_cast<double>(in) + 1; }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
  bool bias;
};

class LinearDgrad final : public Op {
 public:
  LinearDgrad(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_)
      : Op(type), rows(rows_), in(in_), out(out_), bias(bias_) {}
  std::string_view name() const override { return "linear_dgrad"; }
  std::string text() const override { return concat("n", rows, " f", in, ":", out, bias ? "" : " nobias"); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, rows * out, Access::kIn},
            {"w", dtype, out * in, Access::kIn},
            {"dx", dtype, rows * in, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(rows * in * out); }
  double sum_length() const override { return static_cast<double>(out); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
  bool bias;
};

class LinearWgrad final : public Op {
 public:
  LinearWgrad(DType type, std::int64_t rows_, std::int64_t in_, std::int64_t out_, bool bias_)
      : Op(type), rows(rows_), in(in_), out(out_), bias(bias_) {}
  std::string_view name() const override { return "linear_wgrad"; }
  std::string text() const override { return concat("n", rows, " f", in, ":", out, bias ? "" : " nobias"); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * in, Access::kIn},
            {"dy", dtype, rows * out, Access::kIn},
            {"dw", dtype, out * in, Access::kOut},
            {"db", dtype, bias ? out : 0, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(rows * in * out); }
  double sum_length() const override { return static_cast<double>(rows); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
  bool bias;
};

}  // namespace umbra
