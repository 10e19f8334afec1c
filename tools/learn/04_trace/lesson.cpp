// Lesson 4: one training step of a small network, node by node: forward, loss, backward, and what a change of a weight does.
#include "tools/learn/common/lesson.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "tools/learn/04_trace/net.h"
#include "tools/learn/trace/graph.h"
#include "tools/learn/trace/report.h"

namespace umbra::learn {
namespace {

struct Options {
  double x0 = 1, x1 = -0.5, eps = 0.01, learning_rate = 0.1;
  std::int64_t label = 1;
  std::vector<Setting> settings() {
    return {{"x0", "first number of the sample", &x0, -10, 10},
            {"x1", "second number of the sample", &x1, -10, 10},
            {"label", "class of the sample, 0 or 1", &label, 0, 1},
            {"eps", "change of the weight fc1.weight[1,0]", &eps, -1, 1},
            {"learning_rate", "of the step of SGD", &learning_rate, 1e-4, 100}};
  }
};

constexpr std::size_t kWeight = 2;  // fc1.weight[1,0], in row-major order

struct Course {
  const Options& o;
  Lesson& lesson;
  Registry registry = make_registry();
  Context context{registry, Device{}};
  Vector x{o.x0, o.x1};
  int label = static_cast<int>(o.label);
  PlainStep plain{kWeights, x, label};

  // A training pass of the sample. The parameters get the numbers of kWeights in turn.
  Computation computation(bool from_x) {
    Build build{.device = context.device()};
    const auto net = std::make_shared<EngineNet>(build, from_x);
    std::size_t at = 0;
    for (const Parameter& p : net->parameters()) {
      const auto count = static_cast<std::size_t>(p.value().count());
      from_host(std::span(kWeights).subspan(at, count), p.value(), context.stream);
      at += count;
    }
    const Tensor input = allocate_tensor(context.device(), {1, 2}, DType::kF32),
                 labels = allocate_tensor(context.device(), {1}, DType::kI32);
    from_host(x, input, context.stream);
    from_host(Vector{static_cast<double>(label)}, labels, context.stream);
    const auto loss = [=](Pass& pass) {
      return softmax_cross_entropy(pass, net->forward(pass, constant(input)), labels);
    };
    return {loss, net->parameters(), {}, {{"x", input}}};
  }

  // The loss after a move of all weights by factor × direction.
  double loss_after(double factor, const Vector& direction) const {
    Vector moved = kWeights;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += factor * direction[i];
    return PlainStep(moved, x, label).loss;
  }

  // The numbers of the trace against those of the plain loops, under the names that the page uses.
  void compare(const Trace& trace) {
    double largest = 0;
    const auto same = [&](const std::string& name, const Tensor& tensor, std::span<const double> expected) {
      const Vector got = trace.numbers(tensor);
      for (std::size_t i = 0; i < got.size(); ++i)
        largest = std::max(largest, std::abs(got[i] - expected[i]));
      const auto extents = tensor.shape().extents();
      lesson.record(name, got, {extents.begin(), extents.end()});
    };
    lesson.record("x", x);
    const auto& nodes = trace.nodes();  // linear, tanh, linear, loss
    same("before", nodes[0].output, plain.before);
    same("hidden", nodes[1].output, plain.hidden);
    same("logits", nodes[2].output, plain.logits);
    same("loss", nodes[3].output, Vector{plain.loss});
    same("grad/logits", nodes[2].upstream, plain.d_logits);
    same("grad/hidden", nodes[1].upstream, plain.d_hidden);
    same("grad/before", nodes[0].upstream, plain.d_before);
    std::size_t at = 0;
    for (const Parameter& p : trace.parameters()) {
      same(p.name, p.value(), std::span(kWeights).subspan(at));
      same("grad/" + p.name, p.grad(), std::span(plain.gradient).subspan(at));
      at += static_cast<std::size_t>(p.value().count());
    }
    lesson.record("plain/difference", largest);
    lesson.claim_less("largest difference between tape and plain loops", largest, 1e-6);
    lesson.claim_less("error of the sums of upstream × local, in units of the limit of rounding",
                      trace.largest_disagreement(), 1);
  }

  // Who moves, and how well the gradient predicts the loss: the error of the prediction falls as ε².
  void change_a_weight(const Trace& trace) {
    const Change change = trace.change("fc1.weight", kWeight, o.eps);
    lesson.say("%s", change_text(trace, change).c_str());
    Vector moved;
    for (const Change::Moved& m : change.moved) moved.push_back(static_cast<double>(m.changed));
    lesson.record("change/moved", moved);
    lesson.record("change/loss", Vector{change.gradient, change.predicted(), change.actual()});
    lesson.claim("one hidden unit moves, then both logits, then the loss", moved == Vector{1, 1, 2, 1});
    Vector direction(kWeights.size(), 0), sizes, changes, errors;
    direction[kWeight] = 1;
    for (double eps = 1; eps > 5e-4; eps /= 2) {
      const double actual = loss_after(eps, direction) - plain.loss;
      sizes.push_back(eps);
      changes.push_back(std::abs(actual));
      errors.push_back(std::abs(actual - eps * plain.gradient[kWeight]));
    }
    const double order = std::log2(errors[errors.size() - 2] / errors.back());
    if (errors.back() > 0)  // with x0 = 0 the weight moves nothing
      lesson.claim_near("half the change leaves a quarter of the error: log2 of the ratio", order, 2, 0.05);
    Figure figure("The gradient predicts small changes", {"change ε of fc1.weight[1,0]", true, 4e-4, 1.2},
                  {"size", true, 1e-8, 30});
    figure.line("change of the loss", sizes, changes).line("error of gradient × ε", sizes, errors);
    lesson.figure("change", figure, "The change of the loss falls as ε, the error of gradient × ε as ε².");
  }

  void take_a_step(const Computation& computation, const Trace& trace) {
    lesson.heading("One step of SGD");
    make_sgd(trace.parameters(), {})->step(context, o.learning_rate);
    Pass pass{context, nullptr, true};
    const double after = trace.numbers(computation.loss(pass)->value)[0], fall = trace.loss() - after;
    const double squares =
        std::inner_product(plain.gradient.begin(), plain.gradient.end(), plain.gradient.begin(), 0.0);
    const double predicted = o.learning_rate * squares, up = loss_after(o.learning_rate, plain.gradient);
    const double ratio = (plain.loss - loss_after(-1e-4, plain.gradient)) / (1e-4 * squares);
    lesson.record("step", Vector{squares, predicted, fall, after, up, ratio});
    lesson.say("the loss falls by %.5f; learning rate × |gradient|² = %.5f", fall, predicted);
    lesson.claim("the step lowers the loss, by at most learning rate × |gradient|²",
                 fall > 0 && fall <= predicted + 1e-6);  // of rounding in f32
    lesson.claim_near("for a rate of 0.0001: fall / (rate × |gradient|²)", ratio, 1, 1e-3);
    lesson.claim("the same step with + in place of - raises the loss", up > plain.loss);
    Vector rates, falls, line;
    for (double rate = 0; rate <= 4; rate += 0.05) {
      rates.push_back(rate);
      falls.push_back(plain.loss - loss_after(-rate, plain.gradient));
      line.push_back(rate * squares);
    }
    Figure figure("How far one step lowers the loss", {"learning rate"}, {"fall of the loss", false, 0, 2});
    figure.line("the loss falls by", rates, falls).dashed("rate × |gradient|²", rates, line);
    lesson.figure("step", figure, "The loss falls by rate × |gradient|² at first, by less for large rates.");
  }

  void slide() {
    lesson.heading("The slide's output layer, θ1 · x");
    const Trace trace(context, computation(true));
    for (auto node = trace.nodes().rbegin(); node != trace.nodes().rend(); ++node)
      lesson.say("%s", backward_text(trace, *node, 2).c_str());
    const Change change = trace.change("fc1.weight", kWeight, o.eps);
    lesson.claim("with θ1 · x the hidden layer gets no gradient, and its weights do not change the loss",
                 !trace.parameters()[0].grad().defined() && !trace.parameters()[1].grad().defined() &&
                     change.actual() == 0 && change.moved[0].changed == 1);
  }

  void teach() {
    const Computation step = computation(false);
    const Trace trace(context, step);
    lesson.say("%s", trace_text(trace).c_str());
    lesson.picture(
        "trace", svg_of(graph_of(trace), "The step as a graph",
                        "Four operations from top to bottom: linear, tanh, linear, softmax cross-entropy."));
    compare(trace);
    change_a_weight(trace);
    take_a_step(step, trace);
    slide();
  }
};

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Options options;
  return run_lesson(argc, argv, "04_trace", options.settings(), [&](Lesson& lesson) {
    Course{options, lesson}.teach();
  });
}
