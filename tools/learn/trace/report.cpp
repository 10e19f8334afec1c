#include "tools/learn/trace/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace umbra::learn {
namespace {

constexpr std::size_t kFirstNumbers = 5, kMoreNumbers = 16, kTerms = 2, kMoreTerms = 8;

std::string first_numbers(const std::vector<double>& values, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + number_text(values[i]);
  return values.size() > most ? text + ", …" : text;
}

// Text padded with spaces to `width` characters (UTF-8).
std::string padded(const std::string& text, std::size_t width) {
  const auto length = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  return length < width ? text + std::string(width - length, ' ') : text;
}

std::string head(const TracedNode& node) {
  char number[16];
  std::snprintf(number, sizeof number, "%4s  ", node.name().c_str());
  return number + padded(node.operation, 21) + " ";
}

std::string chain_rule_text(const TracedNode& node, const TracedInput& input, const ChainRule& rule) {
  const std::string name =
      concat("d loss/d ", input.name, index_text(input.value.shape(), rule.element), " = ");
  const std::string indent(10, ' ');
  std::string text = indent + name + number_text(rule.recorded);
  if (rule.terms.empty() && rule.rest == 0) return text + ", as all others of this input\n";
  text += "\n";
  for (const Term& term : rule.terms)
    text += concat(indent, "  ", &term == &rule.terms.front() ? "= " : "+ ",
                   padded(concat(number_text(term.upstream), " × ", number_text(term.local), " = ",
                                 number_text(term.result)),
                          32),
                   " through ", node.name(), index_text(node.output.shape(), term.output), "\n");
  if (rule.others > 0)
    text += concat(indent, "  + ", padded(number_text(rule.rest), 32), " through the other ",
                   rule.others == 1 ? std::string("one") : std::to_string(rule.others), "\n");
  return text;
}

}  // namespace

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string index_text(const Shape& shape, std::int64_t element) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = concat(element % shape[axis], text.empty() ? "" : ",", text);
    element /= shape[axis];
  }
  return "[" + text + "]";
}

std::string forward_text(const Trace& trace, const TracedNode& node) {
  std::string text = head(node);
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    text += concat(i == 0 ? "" : ", ", node.inputs[i].name, " ", node.inputs[i].value.shape());
  return text + concat(" -> ", node.output.shape(), "\n") + std::string(10, ' ') + "= " +
         first_numbers(trace.numbers(node.output), kFirstNumbers) + "\n";
}

std::string backward_text(const Trace& trace, const TracedNode& node, std::size_t terms) {
  std::string text = head(node);
  if (!node.upstream.defined()) return text + "does not reach the loss\n";
  text += concat("upstream d loss/d ", node.name(), " ", node.upstream.shape(), "\n") + std::string(10, ' ') +
          "= " + first_numbers(trace.numbers(node.upstream), kFirstNumbers) + "\n";
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (Trace::has_gradient(node, i))
      text += chain_rule_text(node, node.inputs[i], trace.chain_rule(node, i, terms));
  return text;
}

std::string details_text(const Trace& trace, const TracedNode& node) {
  std::string text = forward_text(trace, node) + "\n";
  for (const TracedInput& input : node.inputs)
    text += concat(padded(input.name, 24), " ", padded(input.value.shape().text(), 20), " ",
                   first_numbers(trace.numbers(input.value), kMoreNumbers), "\n");
  text += concat(padded(node.name(), 24), " ", padded(node.output.shape().text(), 20), " ",
                 first_numbers(trace.numbers(node.output), kMoreNumbers), "\n");
  text += concat("kept for the backward pass:");
  for (const Tensor& saved : node.saved)
    if (saved.defined()) text += concat(" ", saved.shape());
  text += node.saved.empty() ? " nothing but the inputs\n\n" : "\n\n";
  text += backward_text(trace, node, kMoreTerms) + "\n";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!Trace::has_gradient(node, i)) continue;
    const ChainRule rule = trace.chain_rule(node, i, kMoreTerms);
    const std::vector<double> grad = trace.numbers(node.inputs[i].grad);
    text +=
        concat(padded("d loss/d " + node.inputs[i].name, 34), " ", first_numbers(grad, kMoreNumbers), "\n");
    text += concat(std::string(35, ' '), "the terms and the recorded gradient differ by ",
                   number_text(std::abs(rule.sum() - rule.recorded)), ", limit of rounding ",
                   number_text(rule.bound), "\n");
  }
  return text;
}

std::string trace_text(const Trace& trace) {
  std::string text = "== Forward: operation, inputs -> shape of the result = its first numbers\n";
  for (const TracedNode& node : trace.nodes()) text += forward_text(trace, node);
  text += concat("      loss = ", number_text(trace.loss()), "\n\n");
  text +=
      "== Backward: for each input the element with the largest gradient, as the sum over the\n"
      "   elements of the result of upstream × local = its part (the largest parts are shown)\n";
  for (auto node = trace.nodes().rbegin(); node != trace.nodes().rend(); ++node)
    text += backward_text(trace, *node, kTerms);
  return text;
}

std::string change_text(const Trace& trace, const Change& change) {
  Shape shape;
  for (const Parameter& p : trace.parameters())
    if (p.name == change.parameter) shape = p.value().shape();
  std::string text = concat("== ", change.parameter, index_text(shape, change.element), " changes by ",
                            number_text(change.eps), "\n");
  for (const Change::Moved& moved : change.moved) {
    const TracedNode& node = trace.nodes()[static_cast<std::size_t>(moved.node - 1)];
    text += head(node);
    if (moved.changed == 0) {
      text += "does not move\n";
      continue;
    }
    text +=
        concat(padded(concat(moved.changed, " of ", moved.count, moved.count == 1 ? " moves" : " move"), 22),
               "most: ", node.name(), index_text(node.output.shape(), moved.element), " ",
               number_text(moved.before), " -> ", number_text(moved.after), " (",
               moved.after > moved.before ? "+" : "", number_text(moved.after - moved.before), ")\n");
  }
  return text + concat("      the loss changes by ", number_text(change.actual()),
                       "; predicted: gradient × change = ", number_text(change.gradient), " × ",
                       number_text(change.eps), " = ", number_text(change.predicted()), "\n");
}

}  // namespace umbra::learn
