// The chain rule of any operation, from its forward and backward rules alone. The element of the input is moved a
// little to see which elements of the output matter; their local derivatives are then exact.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/learn/trace/kept.h"
#include "tools/learn/trace/trace.h"

namespace umbra::learn {
namespace {

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

double unit_roundoff(DType dtype) {
  return dtype == DType::kF64 ? std::numeric_limits<double>::epsilon() / 2
                              : std::numeric_limits<float>::epsilon() / 2.0;
}

}  // namespace

double ChainRule::sum() const {
  double total = rest;
  for (const Term& term : terms) total += term.result;
  return total;
}

Tensor Trace::filled(const Tensor& like, const std::vector<double>& values) const {
  Tensor tensor = allocate_tensor(like.device(), like.shape(), like.dtype(), like.layout());
  from_host(values, tensor, context_.stream);
  return tensor;
}

// d output / d element by a difference, for every element of the output.
std::vector<double> Trace::response(const TracedNode& node, std::size_t input, std::int64_t element) const {
  const KeptValues kept(computation_.buffers, context_.stream);
  std::vector<Tensor> values;
  for (const TracedInput& argument : node.inputs) values.push_back(argument.value);
  std::vector<double> moved = numbers(values[input]);
  const auto at = static_cast<std::size_t>(element);
  const double before = moved[at], step = std::max(largest(moved), 1e-3) / 64;
  moved[at] += step;
  values[input] = filled(values[input], moved);
  const double moved_by = numbers(values[input])[at] - before;
  Pass pass{context_, nullptr, computation_.training};
  Saved saved;
  std::vector<double> after = numbers(node.function->forward(pass, values, saved));
  const std::vector<double> output = numbers(node.output);
  for (std::size_t j = 0; j < after.size(); ++j) after[j] = (after[j] - output[j]) / moved_by;
  return after;
}

double Trace::gradient(const TracedNode& node, std::size_t input, std::int64_t element,
                       const std::vector<double>& upstream) const {
  std::vector<Tensor> values;
  for (const TracedInput& argument : node.inputs) values.push_back(argument.value);
  Saved saved;
  for (const Tensor& tensor : node.saved) saved.push_back(copied(tensor, context_.stream));
  std::vector<bool> wanted(node.inputs.size(), false);
  wanted[input] = true;
  const std::vector<Tensor> grads =
      node.function->backward(context_, filled(node.upstream, upstream), values, saved, wanted);
  return numbers(grads[input])[static_cast<std::size_t>(element)];
}

ChainRule Trace::chain_rule(const TracedNode& node, std::size_t input, std::size_t most) const {
  require(has_gradient(node, input), node.name(), ": its input ", input, " has no gradient");
  const std::vector<double> grad = numbers(node.inputs[input].grad), upstream = numbers(node.upstream);
  std::size_t element = 0;
  for (std::size_t i = 1; i < grad.size(); ++i)
    if (std::abs(grad[i]) > std::abs(grad[element])) element = i;
  ChainRule rule{static_cast<std::int64_t>(element), {}, 0, 0, grad[element], 0};
  const std::vector<double> response = this->response(node, input, rule.element);
  std::vector<std::size_t> order;  // outputs that matter, the largest term first
  double sizes = 0;
  for (std::size_t j = 0; j < upstream.size(); ++j) {
    if (response[j] * upstream[j] == 0) continue;
    order.push_back(j);
    sizes += std::abs(response[j] * upstream[j]);
  }
  const double count = static_cast<double>(order.size());
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(response[a] * upstream[a]) > std::abs(response[b] * upstream[b]);
  });
  order.resize(std::min(order.size(), most));
  std::vector<double> without = upstream, unit(upstream.size(), 0);
  for (const std::size_t j : order) {
    unit[j] = 1;
    const double local = gradient(node, input, rule.element, unit);
    unit[j] = without[j] = 0;
    rule.terms.push_back({static_cast<std::int64_t>(j), upstream[j], local, upstream[j] * local});
    sizes += std::abs(rule.terms.back().result);
  }
  rule.others = static_cast<std::int64_t>(upstream.size() - order.size());
  rule.rest = largest(without) > 0 ? gradient(node, input, rule.element, without) : 0;
  // A sum of `count` products in floating point: errors of single roundings add up as a random walk. The factor 8
  // allows for the roundings inside a local derivative.
  rule.bound =
      8 * (4 + std::sqrt(count)) * unit_roundoff(node.upstream.dtype()) * (sizes + std::abs(rule.rest));
  return rule;
}

double Trace::largest_disagreement() const {
  double largest = 0;
  for (const TracedNode& node : nodes_)
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!has_gradient(node, i)) continue;
      const ChainRule rule = chain_rule(node, i, 2);
      const double difference = std::abs(rule.sum() - rule.recorded);
      if (!(difference == 0)) largest = std::max(largest, difference / rule.bound);
    }
  return largest;
}

}  // namespace umbra::learn
