#include "engine/ops/loss/softmax_cross_entropy.h"

namespace umbra {

std::string SoftmaxCrossEntropy::text() const {
  const CrossEntropyRule usual;
  return concat("n", rows, " k", columns, rule.class_weights ? " weights" : "",
                rule.ignore_index == usual.ignore_index ? "" : concat(" ignore", rule.ignore_index),
                rule.label_smoothing == 0 ? "" : concat(" smoothing", rule.label_smoothing),
                reduce_text(rule.reduce));
}

std::string SoftmaxCrossEntropy::why_not_finite(const HostBuffers& inputs) const {
  const std::vector<double> labels = inputs.numbers(1);
  bool any_counts = false;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto label = static_cast<std::int64_t>(labels[n]);
    if (rule.counts(label, columns)) any_counts = true;
    if (!rule.counts(label, columns) && !rule.ignores(label))
      return concat("label ", label, " of row ", n, " is outside 0 … ", columns - 1);
  }
  if (any_counts || rule.reduce != Reduce::kMean) return {};
  return concat("every label is the ignored ", rule.ignore_index, ", so there is no mean");
}

}  // namespace umbra
