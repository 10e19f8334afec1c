// The definition of softmax with cross entropy and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/softmax_cross_entropy_reference.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

// A class is ignored only where there are many: otherwise all rows could be ignored and the mean be NaN.
constexpr CrossEntropyRule kRules[] = {
    {.class_weights = true},
    {.ignore_index = 2},
    {.label_smoothing = 0.125},
    {.class_weights = true, .ignore_index = 0, .label_smoothing = 0.5},
    {.label_smoothing = 1},
    {.reduce = Reduce::kSum},
    {.class_weights = true, .ignore_index = 1, .reduce = Reduce::kSum},
    {.reduce = Reduce::kNone},
    {.class_weights = true, .ignore_index = 3, .label_smoothing = 0.25, .reduce = Reduce::kNone},
    {.label_smoothing = 0.25, .reduce = Reduce::kSum},
    {.class_weights = true, .label_smoothing = 0.125},
    {.class_weights = true, .reduce = Reduce::kNone},
};

Problems problems(DType dtype) {
  Problems problems = problems_of_matrices<SoftmaxCrossEntropy>(dtype);
  for (const CrossEntropyRule& rule : kRules) {
    for (const MatrixShape& s : {MatrixShape{7, 17}, {31, 15}, {64, 10}, {257, 14}, {32, 1000}})
      problems.push_back(std::make_unique<SoftmaxCrossEntropy>(dtype, s.rows, s.columns, rule));
    if (rule.ignore_index >= 0) continue;
    for (const MatrixShape& s : {MatrixShape{1, 1}, {5, 1}, {1, 2}})
      problems.push_back(std::make_unique<SoftmaxCrossEntropy>(dtype, s.rows, s.columns, rule));
  }
  return problems;
}

}  // namespace

Ladder softmax_cross_entropy_definition() {
  return define_op<SoftmaxCrossEntropy, softmax_cross_entropy_reference<float>,
                   softmax_cross_entropy_reference<double>>(problems);
}

}  // namespace umbra
