// Softmax followed by cross entropy, as torch.nn.functional.cross_entropy with labels. With p the softmax of
// z[n], y the label of row n, w the weights of the classes (1 where there are none) and e the smoothing,
//
//   loss[n] = sum over k of q[k] (-log p[k]),   q[k] = (1 - e) w[y] [k = y] + e / K w[k],
//
// computed with the row maximum subtracted. kNone gives the loss of every row, kSum their sum, kMean their
// sum divided by D, the sum of w[y] over the rows that count (without weights, the number of these rows).
// Rows whose label is ignore_index do not count: their loss and gradient are 0. If every row is ignored the
// mean is 0 / 0, NaN. A label that is neither a class nor ignore_index makes the loss NaN (with kNone that
// of its row) and the row's gradient 0; such a label is never used as an index.
//
// The same call computes the gradient:  dz[n, k] = (p[k] sum over j of q[j] - q[k]) / D,  D = 1 unless
// kMean. With kNone row n is the derivative of loss[n].
#pragma once

#include "engine/base/error.h"
#include "engine/ops/loss/reduction.h"
#include "engine/ops/op.h"

namespace umbra {

struct CrossEntropyRule {
  bool class_weights = false;  // whether there are class weights
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;  // e, in [0, 1]
  Reduce reduce = Reduce::kMean;

  constexpr bool ignores(std::int64_t label) const { return label == ignore_index; }
  /// Whether the label is one of `columns` classes and its row counts.
  constexpr bool counts(std::int64_t label, std::int64_t columns) const {
    return label >= 0 && label < columns && !ignores(label);
  }
};

class SoftmaxCrossEntropy final : public Op {
 public:
  SoftmaxCrossEntropy(DType type, std::int64_t rows_, std::int64_t columns_, CrossEntropyRule rule_ = {})
      : Op(type), rows(rows_), columns(columns_), rule(rule_) {}
  static constexpr std::string_view kName = "softmax_cross_entropy";
  std::string_view name() const override { return kName; }
  std::string text() const override;  // "n32 k14", then the parts of the rule that are not the default
  std::vector<BufferSpec> buffers() const override {
    return {{"z", dtype, rows * columns, Access::kIn},
            {"label", DType::kI32, rows, Access::kIn, Fill::kIndex, columns},
            {"class_weights", dtype, rule.class_weights ? columns : 0, Access::kIn, Fill::kPositive},
            {"loss", dtype, rule.reduce == Reduce::kNone ? rows : 1, Access::kOut},
            {"dz", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 4 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }
  std::string why_not_finite(const HostBuffers& inputs) const override;  // names the first wrong label

  std::int64_t rows;
  std::int64_t columns;
  CrossEntropyRule rule;
};

}  // namespace umbra
