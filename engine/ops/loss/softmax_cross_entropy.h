// Softmax followed by cross entropy, mean over the batch:
//   loss = 1/N sum over n of ( log sum over k of exp(z[n, k]) - z[n, label n] ),   dz = (softmax(z) -
//   onehot(label)) / N.
// Computed with the row maximum subtracted. The gradient comes with the loss.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class SoftmaxCrossEntropy final : public Op {
 public:
  SoftmaxCrossEntropy(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "softmax_cross_entropy";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"z", dtype, rows * columns, Access::kIn},
            {"label", DType::kI32, rows, Access::kIn, Fill::kIndex, columns},
            {"loss", dtype, 1, Access::kOut},
            {"dz", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 4 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }

  std::int64_t rows;
  std::int64_t columns;
};

}  // namespace umbra
