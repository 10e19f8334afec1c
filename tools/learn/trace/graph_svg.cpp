// A layered drawing: a box is one layer below the lowest of those that it depends on. An arrow that skips layers passes
// through a narrow place in each of them, so that it crosses no box.
#include <algorithm>

#include "tools/learn/common/figure_parts.h"
#include "tools/learn/trace/graph.h"

namespace umbra::learn {
namespace {

constexpr double kLine = 17, kPadding = 10, kGapX = 28, kGapY = 46, kMargin = 16, kTitle = 30, kLetter = 7.3,
                 kNarrow = 12, kLeastWidth = 560;

// A box, or a place where an arrow passes a layer.
struct Item {
  std::size_t layer;
  double width, height, x = 0, y = 0;  // x, y: the centre
  std::vector<std::size_t> above = {}, below = {};
};

struct Drawing {
  std::vector<Item> items;  // the boxes first, in the order of the graph
  std::vector<std::vector<std::size_t>> layers;
  std::vector<std::vector<std::size_t>> paths;  // of every edge, over items
  double width = 0, height = 0;
};

std::vector<std::size_t> layers_of(const Graph& graph) {
  std::vector<std::size_t> layer(graph.nodes.size(), 0);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (const Graph::Edge& edge : graph.edges)
      if (edge.to == n) layer[n] = std::max(layer[n], layer[edge.from] + 1);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {  // data directly above the first that uses it
    if (graph.nodes[n].operation) continue;
    std::size_t first = graph.nodes.size();
    for (const Graph::Edge& edge : graph.edges)
      if (edge.from == n) first = std::min(first, layer[edge.to]);
    layer[n] = first == 0 ? 0 : first - 1;
  }
  return layer;
}

Drawing items_of(const Graph& graph) {
  Drawing drawing;
  const std::vector<std::size_t> layer = layers_of(graph);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    std::size_t longest = 0;
    for (const std::string& line : graph.nodes[n].lines) longest = std::max(longest, line.size());
    drawing.items.push_back({layer[n], kLetter * static_cast<double>(longest) + 2 * kPadding,
                             kLine * static_cast<double>(graph.nodes[n].lines.size()) + kPadding});
  }
  for (const Graph::Edge& edge : graph.edges) {
    std::vector<std::size_t> path{edge.from};
    for (std::size_t l = layer[edge.from] + 1; l < layer[edge.to]; ++l) {
      path.push_back(drawing.items.size());
      drawing.items.push_back({l, kNarrow, 0});
    }
    path.push_back(edge.to);
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      drawing.items[path[i]].below.push_back(path[i + 1]);
      drawing.items[path[i + 1]].above.push_back(path[i]);
    }
    drawing.paths.push_back(std::move(path));
  }
  for (std::size_t i = 0; i < drawing.items.size(); ++i) {
    if (drawing.layers.size() <= drawing.items[i].layer) drawing.layers.resize(drawing.items[i].layer + 1);
    drawing.layers[drawing.items[i].layer].push_back(i);
  }
  return drawing;
}

// Moves the items of a layer below (or above) the mean of their neighbours, in that order and without overlap.
void place(Drawing& drawing, std::vector<std::size_t>& layer, bool from_above) {
  auto& items = drawing.items;
  for (const std::size_t i : layer) {
    const auto& neighbours = from_above ? items[i].above : items[i].below;
    if (neighbours.empty()) continue;
    double sum = 0;
    for (const std::size_t other : neighbours) sum += items[other].x;
    items[i].x = sum / static_cast<double>(neighbours.size());
  }
  std::stable_sort(layer.begin(), layer.end(),
                   [&](std::size_t a, std::size_t b) { return items[a].x < items[b].x; });
  double wanted = 0, got = 0;
  for (std::size_t k = 0; k < layer.size(); ++k) {
    Item& item = items[layer[k]];
    wanted += item.x;
    if (k > 0) {
      const Item& left = items[layer[k - 1]];
      item.x = std::max(item.x, left.x + (left.width + item.width) / 2 + kGapX);
    }
    got += item.x;
  }
  for (const std::size_t i : layer) items[i].x += (wanted - got) / static_cast<double>(layer.size());
}

Drawing drawing_of(const Graph& graph) {
  Drawing drawing = items_of(graph);
  for (int sweep = 0; sweep < 6; ++sweep) {
    for (auto& layer : drawing.layers) place(drawing, layer, true);
    for (auto layer = drawing.layers.rbegin(); layer != drawing.layers.rend(); ++layer)
      place(drawing, *layer, false);
  }
  double left = 0, right = 0, y = kMargin + kTitle;
  for (const auto& layer : drawing.layers) {
    double height = 0;
    for (const std::size_t i : layer) height = std::max(height, drawing.items[i].height);
    for (const std::size_t i : layer) {
      Item& item = drawing.items[i];
      item.y = y + height / 2;
      left = std::min(left, item.x - item.width / 2);
      right = std::max(right, item.x + item.width / 2);
    }
    y += height + kGapY;
  }
  const double label = 60;  // next to the outermost arrows
  drawing.width = std::max(right - left + 2 * (kMargin + label), kLeastWidth);
  for (Item& item : drawing.items) item.x += (drawing.width - left - right) / 2;
  drawing.height = y - kGapY + kMargin;
  return drawing;
}

std::string arrow(const Drawing& drawing, const std::vector<std::size_t>& path, const std::string& label) {
  const auto& items = drawing.items;
  std::string d;
  for (std::size_t k = 0; k < path.size(); ++k) {
    const Item& item = items[path[k]];
    const bool last = k + 1 == path.size();
    if (k == 0) {
      d = text_of("M%.1f %.1f", item.x, item.y + item.height / 2);
      continue;
    }
    const Item& before = items[path[k - 1]];
    const double y0 = before.y + before.height / 2, y1 = last ? item.y - item.height / 2 - 2 : item.y,
                 middle = (y0 + y1) / 2;
    d += text_of("C%.1f %.1f %.1f %.1f %.1f %.1f", before.x, middle, item.x, middle, item.x, y1);
  }
  const std::size_t k = path.size() / 2;  // the label is in the middle of the arrow
  const Item &a = items[path[k - 1]], &b = items[path[k]];
  const double y = (a.y + a.height / 2 + b.y - b.height / 2) / 2 + 4;
  return "<path class=\"arrow\" d=\"" + d + "\"/>\n" +
         text_of("<text class=\"shape\" x=\"%.1f\" y=\"%.1f\">", (a.x + b.x) / 2 + 5, y) + escaped(label) +
         "</text>\n";
}

std::string box(const Item& item, const Graph::Node& node) {
  std::string text =
      text_of("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%d\"/>\n",
              node.operation ? "operation" : "data", item.x - item.width / 2, item.y - item.height / 2,
              item.width, item.height, node.operation ? 4 : 13);
  double y = item.y - item.height / 2 + kPadding / 2 + 13;
  for (const std::string& line : node.lines) {
    text += text_of("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\"%s>", item.x, y,
                    &line == &node.lines.front() ? " font-weight=\"bold\"" : "") +
            escaped(line) + "</text>\n";
    y += kLine;
  }
  return text;
}

}  // namespace

std::string svg_of(const Graph& graph, const std::string& title, const std::string& description) {
  const Drawing drawing = drawing_of(graph);
  std::string svg =
      text_of(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" role=\"img\" "
          "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n",
          drawing.width, drawing.height, drawing.width) +
      "<title>" + escaped(title) + "</title>\n<desc>" + escaped(description) +
      "</desc>\n<style>.arrow{fill:none;stroke:#555;stroke-width:1.5;marker-end:url(#head)}"
      ".shape{font-size:12px;stroke:#fff;stroke-width:3px;paint-order:stroke}"
      ".operation{fill:#e8f1f8;stroke:#0072b2}.data{fill:#fdf3e0;stroke:#e69f00}</style>\n"
      "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" +
      text_of("<text x=\"%.1f\" y=\"24\" text-anchor=\"middle\" font-weight=\"bold\">", drawing.width / 2) +
      escaped(title) + "</text>\n";
  for (std::size_t e = 0; e < graph.edges.size(); ++e)
    svg += arrow(drawing, drawing.paths[e], graph.edges[e].label);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) svg += box(drawing.items[n], graph.nodes[n]);
  return svg + "</svg>\n";
}

}  // namespace umbra::learn
