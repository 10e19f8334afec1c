#include "tools/learn/trace/graph.h"

#include <algorithm>
#include <map>

#include "tools/learn/trace/report.h"

namespace umbra::learn {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return out + "\"";
}

}  // namespace

Graph graph_of(const Trace& trace) {
  Graph graph;
  std::map<std::string, std::size_t> index;  // of the box with this name
  const auto is_parameter = [&](const TracedInput& input) {
    return std::any_of(trace.parameters().begin(), trace.parameters().end(),
                       [&](const Parameter& p) { return p.name == input.name; });
  };
  for (const TracedNode& node : trace.nodes()) {
    Graph::Node box{node.name(), {concat(node.number, "  ", node.operation)}, true};
    std::vector<const TracedInput*> arrows;
    for (const TracedInput& input : node.inputs) {
      if (is_parameter(input)) {
        box.lines.push_back(concat(input.name, " ", input.value.shape()));
        continue;
      }
      if (index.try_emplace(input.name, graph.nodes.size()).second)
        graph.nodes.push_back({input.name, {input.name}, false});
      arrows.push_back(&input);
    }
    index[box.name] = graph.nodes.size();
    for (const TracedInput* input : arrows)
      graph.edges.push_back({index[input->name], graph.nodes.size(), input->value.shape().text()});
    if (&node == &trace.nodes().back()) box.lines.push_back("loss = " + number_text(trace.loss()));
    graph.nodes.push_back(std::move(box));
  }
  return graph;
}

std::string dot_of(const Graph& graph, const std::string& title) {
  std::string text =
      "digraph trace {\n  label=" + quoted(title) +
      ";\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n";
  for (const Graph::Node& node : graph.nodes) {
    std::string label;
    for (const std::string& line : node.lines) label += (label.empty() ? "" : "\n") + line;
    text += concat("  ", quoted(node.name), " [label=", quoted(label),
                   node.operation ? " shape=box" : " shape=ellipse", "];\n");
  }
  for (const Graph::Edge& edge : graph.edges)
    text += concat("  ", quoted(graph.nodes[edge.from].name), " -> ", quoted(graph.nodes[edge.to].name),
                   " [label=", quoted(edge.label), "];\n");
  return text + "}\n";
}

}  // namespace umbra::learn
