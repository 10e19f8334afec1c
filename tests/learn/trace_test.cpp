// The trace: every model can be traced; at every node the products upstream × local add up to the gradient; and a
// change of a weight does what the gradient predicts.
#include "tools/learn/trace/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/nn/layers.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "tools/learn/trace/example.h"
#include "tools/learn/trace/graph.h"
#include "tools/learn/trace/report.h"
#include "tools/learn/trace/words.h"

namespace umbra::learn {
namespace {

class TraceTest : public ::testing::Test {
 protected:
  Registry registry_ = make_registry();
  Context context_{registry_, Device{}};

  Trace example(const std::string& model, const ExampleOptions& options = {}) {
    return {context_, example_of(context_, *make_model(model), options)};
  }
  // A linear layer from 2 to 3 and tanh, with the loss Σ z².
  Computation layer(DType dtype) {
    Build build{.device = context_.device(), .dtype = dtype};
    const auto linear = std::make_shared<Linear>(build, 2, 3);
    const Tensor x = numbers({1, 2}, {0.5, -2}, dtype), zero = numbers({1, 3}, {0, 0, 0}, dtype);
    const auto loss = [=](Pass& pass) {
      return mean_squared_error(pass, tanh(pass, linear->forward(pass, constant(x))), zero, Reduce::kSum);
    };
    return {loss, linear->parameters(), {}, {{"x", x}}};
  }
  Tensor numbers(const Shape& shape, const std::vector<double>& values, DType dtype) {
    const Tensor tensor = allocate_tensor(context_.device(), shape, dtype);
    from_host(values, tensor, context_.stream);
    return tensor;
  }
};

class TraceOfModel : public TraceTest, public ::testing::WithParamInterface<std::string> {
 protected:
  // With small images: the size of a network's weights takes time enough.
  Trace example_of_model(ExampleOptions options = {}) {
    if (GetParam() == "resnet18") {
      options.input = {3, 32, 32};
      options.outputs = 10;
    }
    if (GetParam() == "um_dense") options.input = {1, 5, 5, 5};
    return example(GetParam(), options);
  }
};

TEST_P(TraceOfModel, TheProductsOfEveryNodeAddUpToItsGradients) {
  const Trace trace = example_of_model();
  EXPECT_GT(trace.nodes().size(), 2U);
  EXPECT_TRUE(std::isfinite(trace.loss()));
  std::size_t gradients = 0;
  for (const TracedNode& node : trace.nodes())
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      EXPECT_EQ(Trace::has_gradient(node, i), node.inputs[i].wanted) << node.name();
      if (!node.inputs[i].wanted) continue;
      ++gradients;
      const ChainRule rule = trace.chain_rule(node, i, 1);
      EXPECT_LE(std::abs(rule.sum() - rule.recorded), rule.bound) << node.name() << " " << node.operation;
      // The limit is one of rounding: far below the terms.
      double sizes = std::abs(rule.rest);
      for (const Term& term : rule.terms) sizes += std::abs(term.result);
      EXPECT_LE(rule.bound, 1e-3 * std::max(sizes, 1e-6)) << node.name() << " " << node.operation;
      EXPECT_EQ(rule.terms.size() + static_cast<std::size_t>(rule.others),
                static_cast<std::size_t>(node.output.shape().count()));
    }
  EXPECT_GE(gradients, trace.parameters().size());
}

TEST_P(TraceOfModel, EveryGradientIsThatOfTheTape) {
  const Trace trace = example_of_model();
  for (const Parameter& p : trace.parameters()) {
    std::vector<double> sum(static_cast<std::size_t>(p.value().shape().count()), 0);
    for (const TracedNode& node : trace.nodes())
      for (const TracedInput& input : node.inputs)
        if (input.name == p.name)
          for (std::size_t i = 0; const double g : trace.numbers(input.grad)) sum[i++] += g;
    EXPECT_EQ(trace.numbers(p.grad()), sum) << p.name;
  }
}

TEST_P(TraceOfModel, ItsGraphHasANodePerOperationAndIsWellFormed) {
  const Trace trace = example_of_model();
  const Graph graph = graph_of(trace);
  const auto operations = std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [](const Graph::Node& node) { return node.operation; });
  EXPECT_EQ(operations, static_cast<std::ptrdiff_t>(trace.nodes().size()));
  for (const Graph::Edge& edge : graph.edges) EXPECT_LT(edge.from, edge.to);
  const std::string dot = dot_of(graph, "a \"quoted\" title"), svg = svg_of(graph, "a < b & c", "words");
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
    return found;
  };
  EXPECT_EQ(count(dot, "[label="), graph.nodes.size() + graph.edges.size());
  EXPECT_EQ(count(dot, " -> "), graph.edges.size());
  EXPECT_EQ(count(dot, "{"), 1U);
  EXPECT_TRUE(dot.starts_with("digraph ") && dot.ends_with("}\n"));
  EXPECT_EQ((count(dot, "\"") - count(dot, "\\\"")) % 2, 0U);
  EXPECT_EQ(count(svg, "class=\"operation\""), trace.nodes().size());
  EXPECT_EQ(count(svg, "class=\"arrow\""), graph.edges.size());
  EXPECT_NE(svg.find("<title>a &lt; b &amp; c</title>\n<desc>words</desc>"), std::string::npos);
  EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
}

// Boxes of one layer do not overlap, and every box is below those that it depends on.
TEST_P(TraceOfModel, ItsPictureHasNoOverlappingBoxes) {
  const std::string svg = svg_of(graph_of(example_of_model()), "title", "words");
  struct Box {
    double x, y, width, height;
  };
  std::vector<Box> boxes;
  for (std::size_t at = 0; (at = svg.find("<rect class=", at)) != std::string::npos; ++at) {
    Box box{};
    const std::size_t x = svg.find(" x=", at);
    ASSERT_EQ(std::sscanf(svg.c_str() + x, " x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &box.x,
                          &box.y, &box.width, &box.height),
              4);
    for (const Box& other : boxes)
      EXPECT_TRUE(box.x >= other.x + other.width || other.x >= box.x + box.width ||
                  box.y >= other.y + other.height || other.y >= box.y + box.height);
    boxes.push_back(box);
  }
  EXPECT_GT(boxes.size(), 2U);
}

// In double precision: the symmetric difference of the loss is the gradient to second order.
TEST_P(TraceOfModel, AChangeOfAWeightMovesTheLossAsItsGradientPredicts) {
  ExampleOptions options;
  options.dtype = "f64";
  const Trace trace = example_of_model(options);
  const auto has_weights = [&](const TracedNode& node) {
    return node.inputs.size() > 1 &&
           std::any_of(trace.parameters().begin(), trace.parameters().end(),
                       [&](const Parameter& p) { return p.name == node.inputs[1].name; });
  };
  const TracedNode& last_with_weights =
      *std::find_if(trace.nodes().rbegin(), trace.nodes().rend(), has_weights);
  const std::string name = last_with_weights.inputs[1].name;
  const std::int64_t element = trace.chain_rule(last_with_weights, 1, 1).element;
  const Change up = trace.change(name, element, 1e-4), down = trace.change(name, element, -1e-4);
  EXPECT_NEAR((up.loss_after - down.loss_after) / 2e-4, up.gradient, 1e-5 * std::abs(up.gradient));
  EXPECT_NEAR(up.actual(), up.predicted(), 1e-2 * std::abs(up.predicted()));
  ASSERT_EQ(up.moved.size(), trace.nodes().size());
  std::set<int> reached = {last_with_weights.number};  // the node and what depends on it
  for (const TracedNode& node : trace.nodes())
    for (const TracedInput& input : node.inputs)
      if (reached.contains(input.producer)) reached.insert(node.number);
  for (const Change::Moved& moved : up.moved) {
    EXPECT_EQ(moved.changed > 0, reached.contains(moved.node)) << moved.node;
    EXPECT_EQ(moved.changed > 0, moved.before != moved.after);
  }
  // The network is as before, with its running statistics.
  EXPECT_EQ(trace.change(name, element, 1e-4).loss_after, up.loss_after);
}

INSTANTIATE_TEST_SUITE_P(Models, TraceOfModel, ::testing::ValuesIn(model_names()),
                         [](const auto& model) { return model.param; });

// Against the formulas of a layer with tanh and the loss Σ z².
TEST_F(TraceTest, UpstreamAndLocalAreTheDerivativesOfTheFormulas) {
  const Trace trace(context_, layer(DType::kF64));
  ASSERT_EQ(trace.nodes().size(), 3U);
  EXPECT_EQ(trace.nodes()[0].inputs[0].name, "x");
  EXPECT_EQ(trace.nodes()[0].inputs[1].name, "weight");
  EXPECT_EQ(trace.nodes()[1].inputs[0].name, "n1");
  EXPECT_EQ(trace.nodes()[1].inputs[0].producer, 1);
  const std::vector<double> z = trace.numbers(trace.nodes()[1].output);
  const ChainRule through_tanh = trace.chain_rule(trace.nodes()[1], 0, 5);
  ASSERT_EQ(through_tanh.terms.size(), 1U);  // the others are 0: each element has one way
  const auto at = static_cast<std::size_t>(through_tanh.element);
  EXPECT_EQ(through_tanh.terms[0].output, through_tanh.element);
  EXPECT_DOUBLE_EQ(through_tanh.terms[0].upstream, 2 * z[at]);
  EXPECT_DOUBLE_EQ(through_tanh.terms[0].local, 1 - z[at] * z[at]);
  const ChainRule weight = trace.chain_rule(trace.nodes()[0], 1, 5);
  EXPECT_EQ(weight.element % 2, 1);  // the larger input, -2
  EXPECT_DOUBLE_EQ(weight.terms.at(0).local, -2);
  EXPECT_EQ(weight.terms[0].output, weight.element / 2);
}

// The backward rule of a loss scales the memory that its forward rule kept, and a forward pass updates running
// statistics.
TEST_F(TraceTest, ExtraPassesChangeNothing) {
  const Tensor w = numbers({2, 2}, {1, 2, 3, 5}, DType::kF32),
               zero = numbers({2, 2}, {0, 0, 0, 0}, DType::kF32);
  const Var var = constant(w);
  var->needs_grad = true;
  const auto losses = [=](Pass& pass) {
    return reduce_axes(pass, mean_squared_error(pass, var, zero, Reduce::kNone), AxisReduction::kMean, {});
  };
  const Trace trace(context_, {losses, {{"w", var}}});
  for (int repeat = 0; repeat < 2; ++repeat) {
    const ChainRule rule = trace.chain_rule(trace.nodes()[0], 0, 4);
    EXPECT_EQ(rule.element, 3);
    ASSERT_EQ(rule.terms.size(), 1U);
    EXPECT_EQ(rule.terms[0].upstream, 0.25);
    EXPECT_EQ(rule.terms[0].local, 10);
  }
  const Computation network = example_of(context_, *make_model("mlp"), {});
  const Trace of_network(context_, network);
  const auto state = [&] {
    std::vector<std::vector<double>> values;
    for (const NamedTensor& b : network.buffers) values.push_back(of_network.numbers(b.tensor));
    for (const Parameter& p : network.parameters) values.push_back(of_network.numbers(p.value()));
    return values;
  };
  const auto before = state();
  EXPECT_FALSE(network.buffers.empty());
  of_network.change("fc1.weight", 3, 0.5);
  EXPECT_EQ(state(), before);
  EXPECT_EQ(of_network.nodes()[1].operation, "batch_norm_relu");
  of_network.chain_rule(of_network.nodes()[1], 0, 2);
  EXPECT_EQ(state(), before);
}

TEST_F(TraceTest, TheLargestDisagreementIsThatOfTheRules) {
  ExampleOptions options;
  options.loss = "cross_entropy";
  const Trace trace = example("mlp", options);
  double largest = 0;
  for (const TracedNode& node : trace.nodes())
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].wanted) continue;
      const ChainRule rule = trace.chain_rule(node, i, 2);
      largest = std::max(largest, std::abs(rule.sum() - rule.recorded) / rule.bound);
    }
  EXPECT_GT(largest, 0);
  EXPECT_LT(largest, 1);
  EXPECT_EQ(trace.largest_disagreement(), largest);
}

TEST_F(TraceTest, AnOptimiserMayFollow) {
  const Computation computation = layer(DType::kF32);
  const Trace trace(context_, computation);
  make_sgd(trace.parameters(), {})->step(context_, 0.01);
  Pass pass{context_, nullptr, true};
  EXPECT_LT(trace.numbers(computation.loss(pass)->value)[0], trace.loss());
}

TEST_F(TraceTest, WhatDoesNotReachTheLossIsSaid) {
  Computation computation = layer(DType::kF32);
  computation.loss = [loss = computation.loss, w = computation.parameters[0].var](Pass& pass) {
    relu(pass, w);
    return loss(pass);
  };
  const Trace trace(context_, computation);
  ASSERT_EQ(trace.nodes().size(), 4U);
  EXPECT_FALSE(Trace::has_gradient(trace.nodes()[0], 0));
  EXPECT_NE(backward_text(trace, trace.nodes()[0], 2).find("does not reach the loss"), std::string::npos);
  EXPECT_NE(trace_text(trace).find(" × "), std::string::npos);
  EXPECT_NE(change_text(trace, trace.change("bias", 0, 0.1)).find("does not move"), std::string::npos);
}

TEST_F(TraceTest, WordsThatAreWrongAreASentence) {
  const std::vector<Parameter> parameters = layer(DType::kF32).parameters;
  const auto refusal = [&](const std::string& text) -> std::string {
    try {
      changed_weight(text, parameters);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const ChangedWeight flat = changed_weight("weight[3]=-0.5", parameters),
                      axes = changed_weight("weight[1,1]=1e-3", parameters);
  EXPECT_EQ(flat.element, 3);
  EXPECT_EQ(flat.eps, -0.5);
  EXPECT_EQ(axes.element, 3);
  EXPECT_EQ(refusal("wieght[0]=1"), "there is no parameter wieght; did you mean 'weight'?");
  EXPECT_EQ(refusal("fc[0]=1"), "there is no parameter fc; the first is weight");
  EXPECT_EQ(refusal("weight[6]=1"), "weight has the shape [3, 2]: there is no element [6]");
  EXPECT_EQ(refusal("weight[-1]=1"), "weight has the shape [3, 2]: there is no element [-1]");
  EXPECT_EQ(refusal("weight[0,2]=1"), "weight has the shape [3, 2]: there is no element [0,2]");
  EXPECT_EQ(refusal("weight[0,0,0]=1"), "weight has the shape [3, 2]: there is no element [0,0,0]");
  for (const char* text : {"weight=1", "weight[]=1", "weight[0]", "weight[0]=", "weight[0]=x", "weight[0]=0",
                           "weight[0]=nan", "weight[0,]=1", "weight[a]=1", "]=[", ""})
    EXPECT_NE(refusal(text), "accepted") << text;
}

TEST_F(TraceTest, CommandsOfTheWalk) {
  EXPECT_EQ(command_of("", 4).what, Command::kNext);
  EXPECT_EQ(command_of(" N\r", 4).what, Command::kNext);
  EXPECT_EQ(command_of("p", 4).what, Command::kPrevious);
  EXPECT_EQ(command_of("d", 4).what, Command::kDetails);
  EXPECT_EQ(command_of("q", 4).what, Command::kQuit);
  EXPECT_EQ(command_of("4", 4).number, 4U);
  for (const char* line : {"0", "5", "-1", "2x", "next", "99999999999999999999"})
    EXPECT_EQ(command_of(line, 4).what, Command::kUnknown) << line;
}

}  // namespace
}  // namespace umbra::learn
