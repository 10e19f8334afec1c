// Fixed affine map of columns:  y[n, b] = scale[b] x[n, b] + shift[b]  (which undoes the standardisation of
// labels per bin), with adjoint dx[n, b] = scale[b] dy[n, b].  scale and shift are not learnt.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/kernel.h"
#include "engine/ops/op.h"

namespace umbra {

class AffineForward final : public Op {
 public:
  AffineForward(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "affine_forward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * columns, Access::kIn},
            {"scale", dtype, columns, Access::kIn},
            {"shift", dtype, columns, Access::kIn},
            {"y", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(rows * columns); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t columns;
};

class AffineBackward final : public Op {
 public:
  AffineBackward(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "affine_backward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, rows * columns, Access::kIn},
            {"scale", dtype, columns, Access::kIn},
            {"dx", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(rows * columns); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t columns;
};

template <class T>
void affine_forward_reference(const AffineForward& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);      // [N, B]
  const T* scale = buffers.in<T>(1);  // [B]
  const T* shift = buffers.in<T>(2);  // [B]
  T* y = buffers.out<T>(3);           // [N, B]
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    y[i] = scale[i % op.columns] * x[i] + shift[i % op.columns];
  }
}

template <class T>
void affine_backward_reference(const AffineBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = buffers.in<T>(0);     // [N, B]
  const T* scale = buffers.in<T>(1);  // [B]
  T* dx = buffers.out<T>(2);          // [N, B]
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) dx[i] = scale[i % op.columns] * dy[i];
}

}  // namespace umbra
