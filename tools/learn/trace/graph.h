// The graph of a trace, as a picture (SVG) and as text for Graphviz.
#pragma once

#include <string>
#include <vector>

#include "tools/learn/trace/trace.h"

namespace umbra::learn {

/// Operations and data with what flows between them.
struct Graph {
  struct Node {
    std::string name;                ///< "n3" or "x"
    std::vector<std::string> lines;  ///< what is written in its box
    bool operation;                  ///< false: data
  };
  struct Edge {
    std::size_t from, to;  ///< indices of nodes; from < to
    std::string label;     ///< the shape of what flows
  };
  std::vector<Node> nodes;  ///< each after those that it depends on
  std::vector<Edge> edges;
};

/// A box per operation, which lists its parameters, and one per input that is not learnt.
Graph graph_of(const Trace& trace);
/// The graph in the language of Graphviz.
std::string dot_of(const Graph& graph, const std::string& title);
/// The graph drawn from top to bottom. `description` says what can be seen, for readers who cannot see it.
std::string svg_of(const Graph& graph, const std::string& title, const std::string& description);

}  // namespace umbra::learn
