// The tape: order, accumulation, depth, and gradients of a whole small network against differences in double.
#include "engine/grad/tape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "engine/grad/functions.h"
#include "engine/nn/layers.h"

namespace umbra {
namespace {

struct TapeTest : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};

  Var parameter(Shape shape, std::vector<double> values, DType dtype = DType::kF64) {
    const Tensor tensor = allocate_tensor({}, shape, dtype);
    from_host(values, tensor, context.stream);
    Var var = constant(tensor);
    var->needs_grad = true;
    return var;
  }
  std::vector<double> numbers(const Tensor& tensor) { return to_host(tensor, context.stream); }
};

// d = b + b with b = a + a, and a alone once more: every path counts once, in any order of the walk.
TEST_F(TapeTest, AVarUsedTwiceCollectsTheSum) {
  const Var a = parameter({1, 1}, {3});
  Tape tape(context);
  Pass pass{context, &tape};
  const Var b = add(pass, a, a);
  const Var d = add(pass, add(pass, b, b), a);
  const Tensor target = allocate_tensor({}, {1, 1}, DType::kF64);
  from_host(std::vector<double>{0}, target, context.stream);
  const Var loss = mean_squared_error(pass, d, target);
  tape.backward(loss);
  EXPECT_DOUBLE_EQ(numbers(d->value)[0], 15);
  EXPECT_DOUBLE_EQ(numbers(a->grad)[0], 2 * 15 * 5);  // d = 5 a
}

TEST_F(TapeTest, FiveThousandLayersDeepWithoutRecursion) {
  const Var a = parameter({1, 1}, {2});
  Tape tape(context);
  Pass pass{context, &tape};
  Var x = a;
  for (int i = 0; i < 5000; ++i) x = relu(pass, x);
  const Tensor target = allocate_tensor({}, {1, 1}, DType::kF64);
  from_host(std::vector<double>{1}, target, context.stream);
  tape.backward(mean_squared_error(pass, x, target));
  EXPECT_DOUBLE_EQ(numbers(a->grad)[0], 2);
}

TEST_F(TapeTest, WithoutATapeNothingIsRecordedAndConstantsGetNoGradient) {
  const Var a = parameter({1, 2}, {1, 2});
  Pass pass{context};
  EXPECT_FALSE(relu(pass, a)->needs_grad);
  Tape tape(context);
  Pass recording{context, &tape};
  relu(recording, constant(a->value));
  EXPECT_TRUE(tape.nodes().empty());
}

/// The sum of its inputs; its gradient adds to what some of the inputs have.
class SumOnto final : public Function {
 public:
  explicit SumOnto(std::vector<bool> adds) : adds_(std::move(adds)) {}
  std::string_view name() const override { return "sum_onto"; }
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved&) const override {
    return sum(pass.context, inputs[0], inputs[1]);
  }
  std::vector<Tensor> backward(Context&, const Tensor& dy, std::span<const Tensor>, const Saved&,
                               const std::vector<bool>&) const override {
    return {dy, dy};
  }
  std::vector<Tensor> backward_onto(Context& context, const Tensor& dy, std::span<const Tensor>, const Saved&,
                                    const std::vector<bool>&, std::vector<Tensor>& so_far) const override {
    std::vector<Tensor> grads{dy, dy};
    for (std::size_t i = 0; i < 2; ++i)
      if (adds_[i] && so_far[i].defined()) grads[i] = sum(context, dy, std::exchange(so_far[i], {}));
    return grads;
  }

 private:
  static Tensor sum(Context& context, const Tensor& a, const Tensor& b) {
    const Tensor made = context.temporary_like(a);
    from_host(std::vector<double>{to_host(a, context.stream)[0] + to_host(b, context.stream)[0]}, made,
              context.stream);
    return made;
  }
  std::vector<bool> adds_;
};

// loss = ((a + b) + (a + b + a))²: whether the first sum adds its gradient to those of a and b or leaves that to the
// tape, and whether or not somebody observes, each path counts once.
TEST_F(TapeTest, AFunctionMayAddToTheGradientThatIsThere) {
  const Tensor zero = allocate_tensor({}, {1, 1}, DType::kF64);
  from_host(std::vector<double>{0}, zero, context.stream);
  for (const std::vector<bool>& adds :
       {std::vector<bool>{false, false}, {true, false}, {false, true}, {true, true}}) {
    for (const bool observed : {false, true}) {
      const Var a = parameter({1, 1}, {3}), b = parameter({1, 1}, {4});
      Tape tape(context);
      Pass pass{context, &tape};
      const Var first = umbra::apply(pass, std::make_shared<SumOnto>(adds), {a, b});
      const Var loss =
          mean_squared_error(pass, add(pass, first, add(pass, add(pass, a, b), a)), zero);  // 17²
      BackwardOptions options;
      std::vector<double> terms;
      if (observed)
        options.observer = [&](const Node&, std::span<const Tensor> grads) {
          for (const Tensor& grad : grads) terms.push_back(numbers(grad)[0]);
        };
      tape.backward(loss, options);
      EXPECT_DOUBLE_EQ(numbers(a->grad)[0], 2 * 17 * 3);
      EXPECT_DOUBLE_EQ(numbers(b->grad)[0], 2 * 17 * 2);
      EXPECT_EQ(terms, std::vector<double>(observed ? 9 : 0, 34));  // never a sum of two
    }
  }
}

// loss = (2 (a + a))²: the observer sees each node once, from the last, with the sum of the gradients that
// came from above and the gradient of each input before it is added to the others.
TEST_F(TapeTest, AnObserverSeesUpstreamAndResultOfEveryNodeInReverseOrder) {
  const Var a = parameter({1, 1}, {3});
  const Tensor zero = allocate_tensor({}, {1, 1}, DType::kF64);
  from_host(std::vector<double>{0}, zero, context.stream);
  Tape tape(context);
  Pass pass{context, &tape};
  const Var b = add(pass, a, a);
  relu(pass, b);  // does not reach the loss and is not seen
  const Var loss = mean_squared_error(pass, add(pass, b, b), zero);
  std::vector<std::size_t> numbers_seen;
  std::vector<double> upstream, results;
  BackwardOptions options;
  options.observer = [&](const Node& node, std::span<const Tensor> grads) {
    EXPECT_EQ(&node, &tape.nodes().back());
    numbers_seen.push_back(tape.nodes().size());
    upstream.push_back(numbers(node.output->grad)[0]);
    for (const Tensor& grad : grads) results.push_back(numbers(grad)[0]);
  };
  tape.backward(loss, options);
  EXPECT_EQ(numbers_seen, (std::vector<std::size_t>{4, 3, 1}));
  EXPECT_EQ(upstream, (std::vector<double>{1, 24, 48}));
  EXPECT_EQ(results, (std::vector<double>{24, 24, 24, 48, 48}));
  EXPECT_DOUBLE_EQ(numbers(a->grad)[0], 96);
}

// loss = ((a + b) + a)²: a is used twice, so its gradient is final only after the operation that comes first on the
// tape; the gradient of c, which does not reach the loss, never is.
TEST_F(TapeTest, AGradientIsReportedOnceWhenItHasItsLastTerm) {
  const Var a = parameter({1, 1}, {3}), b = parameter({1, 1}, {4}), c = parameter({1, 1}, {5});
  const Tensor zero = allocate_tensor({}, {1, 1}, DType::kF64), start = allocate_tensor({}, {1}, DType::kF64);
  from_host(std::vector<double>{0}, zero, context.stream);
  from_host(std::vector<double>{0.5}, start, context.stream);
  Tape tape(context);
  Pass pass{context, &tape};
  const Var sum = add(pass, a, b);
  relu(pass, c);
  const Var loss = mean_squared_error(pass, add(pass, sum, a), zero);
  std::vector<std::pair<Var, double>> seen;
  BackwardOptions options;
  options.on_final = [&](const Var& var) { seen.emplace_back(var, numbers(var->grad)[0]); };
  options.start = start;  // half of the gradient
  tape.backward(loss, options);
  ASSERT_EQ(seen.size(), 4U);  // the prediction and the sum, then the parameters
  EXPECT_EQ(seen[1].first, sum);
  EXPECT_EQ(seen[2], std::make_pair(a, 20.0));
  EXPECT_EQ(seen[3], std::make_pair(b, 10.0));
}

TEST_F(TapeTest, MisuseIsASentence) {
  const Var a = parameter({1, 2}, {1, 2});
  Tape tape(context);
  Pass pass{context, &tape};
  EXPECT_THROW(tape.backward(relu(pass, a)), Error);             // not one number
  EXPECT_THROW(add(pass, a, parameter({2, 1}, {1, 2})), Error);  // shapes differ
  EXPECT_THROW(linear(pass, a, parameter({3, 4}, std::vector<double>(12)), nullptr), Error);
  EXPECT_THROW(dropout(pass, a, 1.0), Error);
  EXPECT_THROW(max_pool(pass, a, cubic_window(2, 2, 0)), Error);
  Pass training{context, &tape, true};
  BatchNormState state;
  const Var one = parameter({1, 2}, {1, 2}), gamma = parameter({2}, {1, 1}), beta = parameter({2}, {0, 0});
  EXPECT_THROW(batch_norm(training, one, gamma, beta, state), Error);  // one value per channel
}

// conv -> batch norm -> relu -> pool -> flatten -> linear -> chi^2, in double: central differences of the
// loss against the tape's gradient for every element of every parameter.
TEST_F(TapeTest, GradientOfASmallNetworkEqualsDifferences) {
  Build build{{}, DType::kF64, 5};
  Conv convolution(build, {3, 2, 3, 5, 3, 2, 1});
  BatchNorm norm(build, 3);
  Linear dense(build, 3, 2);
  std::vector<double> values(2 * 5 * 5 * 5 * 4);
  const Rng rng(3, Purpose::kTest);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
  const Var x = parameter({4, 2, 5, 5, 5}, values);
  const Tensor target = allocate_tensor({}, {4, 2}, DType::kF64),
               sigma = allocate_tensor({}, {2}, DType::kF64);
  from_host(std::vector<double>{1, 2, -1, 0.5, 0.3, 0.1, 2, -2}, target, context.stream);
  from_host(std::vector<double>{0.5, 2}, sigma, context.stream);

  const auto loss_of = [&](Tape* tape) {
    Pass pass{context, tape, true};
    Var y =
        max_pool(pass, relu(pass, norm.forward(pass, convolution.forward(pass, x))), cubic_window(3, 2, 1));
    y = flatten(pass, mean_pool(pass, y));
    return chi2_linear(pass, dense.forward(pass, y), target, sigma);
  };
  Tape tape(context);
  tape.backward(loss_of(&tape));
  std::vector<Parameter> parameters = convolution.parameters();
  for (const Module* m : std::initializer_list<const Module*>{&norm, &dense}) {
    for (const Parameter& p : m->parameters()) parameters.push_back(p);
  }
  parameters.push_back({"x", x});
  const double h = 1e-5;
  for (const Parameter& p : parameters) {
    const std::vector<double> grad = numbers(p.grad());
    std::vector<double> value = numbers(p.value());
    double scale = 0;
    for (double g : grad) scale = std::max(scale, std::abs(g));
    for (std::size_t i = 0; i < value.size(); i += 7) {
      const double keep = value[i];
      value[i] = keep + h;
      from_host(value, p.value(), context.stream);
      const double up = numbers(loss_of(nullptr)->value)[0];
      value[i] = keep - h;
      from_host(value, p.value(), context.stream);
      const double down = numbers(loss_of(nullptr)->value)[0];
      value[i] = keep;
      from_host(value, p.value(), context.stream);
      // O(h^2) truncation and 1e-16 / h rounding: about 1e-9 of the largest gradient; with these inputs no
      // kink of relu or max is within +-h.
      EXPECT_NEAR(grad[i], (up - down) / (2 * h), 1e-7 * scale + 1e-9) << p.name << "[" << i << "]";
    }
  }
}

TEST_F(TapeTest, DropoutDrawsTheSameMaskForwardAndBackward) {
  const Var a = parameter({1, 1000}, std::vector<double>(1000, 1.0), DType::kF32);
  Tape tape(context);
  Pass pass{context, &tape, true, Rng(9, Purpose::kDropout), 4};
  const Var y = dropout(pass, a, 0.25);
  const Tensor zero = allocate_tensor({}, {1, 1000}, DType::kF32);
  from_host(std::vector<double>(1000, 0.0), zero, context.stream);
  tape.backward(mean_squared_error(pass, y, zero));
  const std::vector<double> out = numbers(y->value), grad = numbers(a->grad);
  int kept = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    kept += out[i] != 0 ? 1 : 0;
    EXPECT_EQ(out[i] != 0, grad[i] != 0);
  }
  EXPECT_NEAR(kept, 750, 5 * std::sqrt(1000 * 0.25 * 0.75));
}

TEST(Arena, HandsBlocksOutAgainAndOutlivesItself) {
  Tensor survivor;
  {
    const Registry registry = make_registry();
    Context context(registry, {});
    const void* first = nullptr;
    {
      const Tensor t = context.temporary({1000}, DType::kF32);
      first = t.data();
    }
    const Tensor again = context.temporary({999}, DType::kF32);
    EXPECT_EQ(again.data(), first);
    EXPECT_EQ(context.arena.allocations(), 1U);
    survivor = again;
  }
  survivor.values<float>()[998] = 1;  // the block outlives its arena (the sanitizers would object)
  EXPECT_EQ(survivor.values<float>()[998], 1);
}

}  // namespace
}  // namespace umbra
