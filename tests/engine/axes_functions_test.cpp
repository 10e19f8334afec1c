// The functions of a tape that are elementwise or work along axes: their gradients against differences in
// double, axes counted from either end, both layouts, and misuse.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engine/grad/functions.h"

namespace umbra {
namespace {

struct AxesFunctions : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};
  Pass plain{context};

  Var parameter(Shape shape, std::vector<double> values, DType dtype = DType::kF64) {
    const Tensor tensor = allocate_tensor({}, shape, dtype);
    from_host(values, tensor, context.stream);
    Var var = constant(tensor);
    var->needs_grad = true;
    return var;
  }
  /// Normal numbers; other ones for every `stream`.
  Var random(Shape shape, std::uint64_t stream, DType dtype = DType::kF64) {
    const Rng rng(2018, Purpose::kTest, stream);
    std::vector<double> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
    return parameter(shape, values, dtype);
  }
  std::vector<double> numbers(const Tensor& tensor) { return to_host(tensor, context.stream); }

  using Function1 = std::function<Var(Pass&, const Var&)>;

  /// sum of f(x) times fixed numbers, so that every element of f(x) counts separately.
  Var weighted_sum(Pass& pass, const Function1& f, const Var& x) {
    const Var y = f(pass, x);
    return reduce_axes(pass, mul(pass, y, random(y->value.shape(), 99)), AxisReduction::kSum, {});
  }
  /// The tape's gradient against central differences, and, of batch-last data, against that.
  void expect_gradient(const Function1& f, const Shape& shape) {
    const Var x = random(shape, 1);
    Tape tape(context);
    Pass recording{context, &tape};
    tape.backward(weighted_sum(recording, f, x));
    const std::vector<double> grad = numbers(x->grad);
    std::vector<double> value = numbers(x->value);
    constexpr double kStep = 1e-5;  // truncation and rounding leave about 1e-10
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto loss_at = [&](double v) {
        std::vector<double> moved = value;
        moved[i] = v;
        return numbers(weighted_sum(plain, f, parameter(shape, moved))->value)[0];
      };
      const double slope = (loss_at(value[i] + kStep) - loss_at(value[i] - kStep)) / (2 * kStep);
      EXPECT_NEAR(grad[i], slope, 1e-8) << i;
    }
    if (shape.rank() < 2) return;
    const Var again = random(shape, 1);
    Tape second(context);
    Pass in_other_layout{context, &second};
    second.backward(weighted_sum(in_other_layout, f, to_batch_last(in_other_layout, again)));
    EXPECT_EQ(numbers(again->grad), grad) << "batch-last";
  }
  /// The message of the Error that a call throws.
  template <class Call>
  std::string sentence(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST_F(AxesFunctions, GradientsOfElementwiseFunctions) {
  expect_gradient([](Pass& pass, const Var& x) { return exp(pass, x); }, {2, 3, 4});
  expect_gradient([](Pass& pass, const Var& x) { return sigmoid(pass, x); }, {2, 3, 4});
  expect_gradient([](Pass& pass, const Var& x) { return tanh(pass, x); }, {2, 3, 4});
  expect_gradient([](Pass& pass, const Var& x) { return mul(pass, x, x); }, {2, 3, 4});
  const Var other = random({2, 3, 4}, 5);  // row-major for any layout of x
  expect_gradient([&](Pass& pass, const Var& x) { return mul(pass, x, other); }, {2, 3, 4});
  expect_gradient([&](Pass& pass, const Var& x) { return mul(pass, other, x); }, {2, 3, 4});
}

TEST_F(AxesFunctions, GradientsOfSoftmax) {
  for (const int axis : {0, 1, 2, -1}) {
    expect_gradient([&](Pass& pass, const Var& x) { return softmax(pass, x, axis); }, {2, 3, 4});
    expect_gradient([&](Pass& pass, const Var& x) { return log_softmax(pass, x, axis); }, {2, 3, 4});
  }
  expect_gradient([&](Pass& pass, const Var& x) { return softmax(pass, x, 0); }, {5});
}

TEST_F(AxesFunctions, GradientsOfReductions) {
  for (const AxisReduction how :
       {AxisReduction::kSum, AxisReduction::kMean, AxisReduction::kMax, AxisReduction::kMin}) {
    for (const std::vector<int>& axes :
         std::vector<std::vector<int>>{{}, {0}, {1}, {-1}, {0, 2}, {1, 2}, {-2, 0}, {0, 1, 2}}) {
      for (const bool keep : {false, true})
        expect_gradient([&](Pass& pass, const Var& x) { return reduce_axes(pass, x, how, axes, keep); },
                        {2, 3, 4});
    }
  }
}

TEST_F(AxesFunctions, ExpandRepeatsAlongANewAxis) {
  for (int axis = 0; axis <= 3; ++axis)
    expect_gradient([&](Pass& pass, const Var& x) { return expand(pass, x, axis, 5); }, {2, 3, 4});
  const Var y = expand(plain, parameter({2, 2}, {1, 2, 3, 4}), 1, 3);
  EXPECT_EQ(y->value.shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(numbers(y->value), (std::vector<double>{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}));
  EXPECT_NE(sentence([&] {
              expand(plain, parameter({2}, {1, 2}), 2, 3);
            }).find("no place for a new axis 2"),
            std::string::npos);
}

TEST_F(AxesFunctions, LabelsAreRoundedTowardsZero) {
  const Tensor x = allocate_tensor({}, {5}, DType::kF32);
  from_host(std::vector<double>{0, 14, -1, 2.75, -0.5}, x, context.stream);
  EXPECT_EQ(numbers(to_labels(context, x)), (std::vector<double>{0, 14, -1, 2, 0}));
}

TEST_F(AxesFunctions, GradientsOfConcatenation) {
  for (const int axis : {0, 1, -1}) {
    const auto twice_and_more = [&](Pass& pass, const Var& x) {
      return concatenate(pass, {x, sigmoid(pass, x), x}, axis);
    };
    expect_gradient(twice_and_more, {2, 3, 4});
  }
  expect_gradient([](Pass& pass, const Var& x) { return concatenate(pass, {x}, 0); }, {3, 2});
}

TEST_F(AxesFunctions, ShapesOfReductions) {
  const Var x = random({2, 1, 4, 3}, 1, DType::kF32);
  const auto shape = [&](std::vector<int> axes, bool keep) {
    return reduce_axes(plain, x, AxisReduction::kMean, std::move(axes), keep)->value.shape();
  };
  EXPECT_EQ(shape({1}, false), (Shape{2, 4, 3}));
  EXPECT_EQ(shape({-1, 0}, false), (Shape{1, 4}));
  EXPECT_EQ(shape({-1, 0}, true), (Shape{1, 1, 4, 1}));
  EXPECT_EQ(shape({}, false), (Shape{1}));
  EXPECT_EQ(shape({3, 2, 1, 0}, false), (Shape{1}));
  EXPECT_EQ(shape({}, true), (Shape{1, 1, 1, 1}));
}

TEST_F(AxesFunctions, ConcatenationByHand) {
  const Var a = parameter({2, 1}, {1, 2}, DType::kF32), b = parameter({2, 2}, {3, 4, 5, 6}, DType::kF32);
  const Var wide = concatenate(plain, {a, b}, -1);
  EXPECT_EQ(wide->value.shape(), (Shape{2, 3}));
  EXPECT_EQ(numbers(wide->value), (std::vector<double>{1, 3, 4, 2, 5, 6}));
  const Var high = concatenate(plain, {wide, wide}, 0);
  EXPECT_EQ(high->value.shape(), (Shape{4, 3}));
  EXPECT_EQ(numbers(high->value), (std::vector<double>{1, 3, 4, 2, 5, 6, 1, 3, 4, 2, 5, 6}));
}

TEST_F(AxesFunctions, SplitIsTheReverseOfConcatenation) {
  const Var a = constant(random({2, 3, 4}, 1, DType::kF32)->value);
  const Var b = constant(random({2, 1, 4}, 2, DType::kF32)->value);
  const std::vector<Var> parts = split(plain, concatenate(plain, {a, b}, 1), {3, 1}, -2);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1]->value.shape(), (Shape{2, 1, 4}));
  EXPECT_EQ(numbers(parts[0]->value), numbers(a->value));
  EXPECT_EQ(numbers(parts[1]->value), numbers(b->value));
  EXPECT_EQ(sentence([&] {
              split(plain, a, {1, 1}, 1);
            }),
            "split: the parts of axis 1 of [2, 3, 4] have 2 positions");
  EXPECT_EQ(sentence([&] {
              split(plain, parameter({2, 1}, {1, 2}, DType::kF32), {1, 1}, 0);
            }),
            "split: [2, 1] needs a gradient, but only data is split");
}

TEST_F(AxesFunctions, ElementwiseFunctionsKeepTheLayout) {
  const Var x = to_batch_last(plain, random({2, 3, 4}, 1, DType::kF32));
  const Var other = random({2, 3, 4}, 2, DType::kF32);
  EXPECT_FALSE(sigmoid(plain, x)->value.row_major());
  EXPECT_FALSE(tanh(plain, x)->value.row_major());
  EXPECT_FALSE(mul(plain, x, other)->value.row_major());
  EXPECT_TRUE(mul(plain, other, x)->value.row_major());
  EXPECT_EQ(numbers(mul(plain, other, x)->value), numbers(mul(plain, x, other)->value));
}

TEST_F(AxesFunctions, MisuseIsASentence) {
  const Var x = random({2, 3}, 1), y = random({3, 2}, 2), z = random({2, 3, 1}, 3);
  const Var empty = random({2, 0}, 4);
  const std::pair<std::string, std::string> cases[] = {
      {sentence([&] { mul(plain, x, y); }), "mul: the shapes [2, 3] and [3, 2] differ"},
      {sentence([&] { softmax(plain, x, 2); }), "softmax: there is no axis 2 in [2, 3]"},
      {sentence([&] { log_softmax(plain, x, -3); }), "log_softmax: there is no axis -3 in [2, 3]"},
      {sentence([&] {
         reduce_axes(plain, x, AxisReduction::kSum, {0, 2});
       }),
       "reduce_axes: there is no axis 2 in [2, 3]"},
      {sentence([&] {
         reduce_axes(plain, x, AxisReduction::kSum, {1, -1});
       }),
       "reduce_axes: axis 1 of [2, 3] is named twice"},
      {sentence([&] { reduce_axes(plain, empty, AxisReduction::kMax, {1}); }),
       "reduce_axes: the max of zero elements does not exist: [2, 0] has none along the reduced axes"},
      {sentence([&] { concatenate(plain, {}, 0); }), "concatenate: no parts were given"},
      {sentence([&] {
         concatenate(plain, {x, x}, 2);
       }),
       "concatenate: there is no axis 2 in [2, 3]"},
      {sentence([&] {
         concatenate(plain, {x, y}, 0);
       }),
       "concatenate: [2, 3] and [3, 2] differ in more than axis 0"},
      {sentence([&] {
         concatenate(plain, {x, z}, 0);
       }),
       "concatenate: [2, 3] and [2, 3, 1] differ in more than axis 0"}};
  for (const auto& [got, want] : cases) EXPECT_EQ(got, want);
  EXPECT_EQ(numbers(reduce_axes(plain, empty, AxisReduction::kSum, {1})->value), std::vector<double>(2));
}

}  // namespace
}  // namespace umbra
