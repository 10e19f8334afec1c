// Options of the losses besides the mean: sums, losses that are not reduced, class weights, ignored labels
// and label smoothing. Values worked out by hand on every rung, gradients by dual numbers, and the functions
// of the tape.
#include <gtest/gtest.h>

#include "engine/grad/functions.h"
#include "engine/ops/loss/mse_reference.h"
#include "engine/ops/loss/softmax_cross_entropy_reference.h"
#include "tests/fixtures/special_values.h"
#include "tests/fixtures/wrong_labels.h"

namespace umbra {
namespace {

using namespace testing_ops;

using Floats = std::vector<float>;
using Labels = std::vector<std::int32_t>;

void expect_near(const Floats& got, const std::vector<double>& want, std::string_view rung) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double value = static_cast<double>(got[i]);
    EXPECT_TRUE(std::isnan(want[i]) ? std::isnan(value)
                                    : std::abs(value - want[i]) <= 2e-6 * std::abs(want[i]))
        << rung << " [" << i << "] " << value << ", not " << want[i];
  }
}

TEST(MeanSquaredError, SumsAndSinglesByHand) {
  const Floats p{4, 1, 0, 2}, t{1, 2, 0, -1};
  const auto expect = [&](Reduce reduce, const std::vector<double>& loss, const std::vector<double>& dp) {
    with_every_rung(
        MeanSquaredError(DType::kF32, 2, 2, reduce),
        [&](std::string_view rung, const Floats&, const Floats&, const Floats& got, const Floats& gradient) {
          expect_near(got, loss, rung);
          expect_near(gradient, dp, rung);
        },
        p, t, Floats(loss.size()), Floats(4));
  };
  expect(Reduce::kMean, {19.0 / 4}, {6.0 / 4, -2.0 / 4, 0, 6.0 / 4});
  expect(Reduce::kSum, {19}, {6, -2, 0, 6});
  expect(Reduce::kNone, {9, 1, 0, 9}, {6, -2, 0, 6});
}

/// On every rung, for logits {0, log 3} in every row: probabilities of 1/4 and 3/4.
void expect_quarters(const CrossEntropyRule& rule, const Floats& weights, const Labels& labels,
                     const std::vector<double>& loss, const std::vector<double>& dz) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  Floats z;
  for (std::int64_t n = 0; n < rows; ++n) z.insert(z.end(), {0, static_cast<float>(std::log(3.0))});
  const SoftmaxCrossEntropy op(DType::kF32, rows, 2, rule);
  SCOPED_TRACE(op.text());
  with_every_rung(
      op,
      [&](std::string_view rung, const Floats&, const Labels&, const Floats&, const Floats& got,
          const Floats& gradient) {
        expect_near(got, loss, rung);
        expect_near(gradient, dz, rung);
      },
      z, labels, weights, Floats(loss.size()), Floats(z.size()));
}

const double kRare = std::log(4.0), kOften = std::log(4.0 / 3);  // losses of the two classes

TEST(SoftmaxCrossEntropy, ReductionsByHand) {
  expect_quarters({}, {}, {0, 1}, {(kRare + kOften) / 2}, {-0.375, 0.375, 0.125, -0.125});
  expect_quarters({.reduce = Reduce::kSum}, {}, {0, 1}, {kRare + kOften}, {-0.75, 0.75, 0.25, -0.25});
  expect_quarters({.reduce = Reduce::kNone}, {}, {0, 1}, {kRare, kOften}, {-0.75, 0.75, 0.25, -0.25});
}

TEST(SoftmaxCrossEntropy, ClassWeightsByHand) {
  const Floats weights{2, 0.5f};
  expect_quarters({.class_weights = true}, weights, {0, 1}, {(2 * kRare + 0.5 * kOften) / 2.5},
                  {-0.6, 0.6, 0.05, -0.05});
  expect_quarters({.class_weights = true, .reduce = Reduce::kSum}, weights, {0, 1},
                  {2 * kRare + 0.5 * kOften}, {-1.5, 1.5, 0.125, -0.125});
  expect_quarters({.class_weights = true, .reduce = Reduce::kNone}, weights, {1, 0},
                  {0.5 * kOften, 2 * kRare}, {0.125, -0.125, -1.5, 1.5});
}

TEST(SoftmaxCrossEntropy, LabelSmoothingByHand) {
  const double first = 0.9 * kRare + 0.1 * kOften;  // of the row of label 0
  expect_quarters({.label_smoothing = 0.2}, {}, {0}, {first}, {-0.65, 0.65});
  expect_quarters({.label_smoothing = 0.2}, {}, {0, 1}, {(kRare + kOften) / 2},
                  {-0.325, 0.325, 0.075, -0.075});
  expect_quarters({.label_smoothing = 1}, {}, {0}, {(kRare + kOften) / 2}, {-0.25, 0.25});
  // Shares of 0.8 * 2 + 0.1 * 2 and 0.1 * 0.5; the mean over the weight of the label alone.
  expect_quarters({.class_weights = true, .label_smoothing = 0.2}, {2, 0.5f}, {0},
                  {(1.8 * kRare + 0.05 * kOften) / 2}, {(1.85 / 4 - 1.8) / 2, (1.85 * 3 / 4 - 0.05) / 2});
}

TEST(SoftmaxCrossEntropy, IgnoredLabelsDoNotCount) {
  expect_quarters({}, {}, {0, -100, 1}, {(kRare + kOften) / 2}, {-0.375, 0.375, 0, 0, 0.125, -0.125});
  expect_quarters({.ignore_index = 1}, {}, {0, 1, 0}, {kRare}, {-0.375, 0.375, 0, 0, -0.375, 0.375});
  expect_quarters({.class_weights = true, .ignore_index = -1}, {2, 0.5f}, {-1, 0, 1},
                  {(2 * kRare + 0.5 * kOften) / 2.5}, {0, 0, -0.6, 0.6, 0.05, -0.05});
  expect_quarters({.label_smoothing = 0.2, .reduce = Reduce::kNone}, {}, {-100, 0},
                  {0, 0.9 * kRare + 0.1 * kOften}, {0, 0, -0.65, 0.65});
  expect_quarters({.reduce = Reduce::kSum}, {}, {-100, -100}, {0}, {0, 0, 0, 0});
}

TEST(SoftmaxCrossEntropy, WithEveryLabelIgnoredThereIsNoMean) {
  expect_no_mean_with_every_label_ignored(Device::Kind::kCpu);
}

TEST(SoftmaxCrossEntropy, NothingOfAnIgnoredRowIsLookedAt) {
  expect_nothing_of_an_ignored_row_to_be_looked_at(Device::Kind::kCpu);
}

TEST(SoftmaxCrossEntropy, ALogitOfMinusInfinityCostsNothingWithoutSmoothing) {
  expect_minus_infinity_to_cost_nothing_without_smoothing(Device::Kind::kCpu);
}

TEST(SoftmaxCrossEntropy, SurvivesWrongLabels) {
  testing_losses::expect_every_rung_to_survive_wrong_labels(all_kernels(), Device::Kind::kCpu);
}

/// <w, losses> along v by dual numbers must be sum over rows of w[n] <dz[n], v[n]>.
TEST(SoftmaxCrossEntropy, GradientByDualNumbersWithEveryRule) {
  constexpr CrossEntropyRule kRules[] = {
      {.class_weights = true},
      {.label_smoothing = 0.1},
      {.class_weights = true, .ignore_index = 3, .label_smoothing = 0.3},
      {.class_weights = true, .label_smoothing = 0.3, .reduce = Reduce::kSum},
      {.ignore_index = 3, .reduce = Reduce::kNone},
      {.class_weights = true, .ignore_index = 3, .label_smoothing = 0.3, .reduce = Reduce::kNone},
  };
  const auto z = normals(60, 1), v = normals(60, 2);
  const Labels label{0, 9, 3, 3, 5, 1};
  for (const CrossEntropyRule& rule : kRules) {
    const SoftmaxCrossEntropy op(DType::kF64, 6, 10, rule);
    const std::size_t losses = rule.reduce == Reduce::kNone ? 6 : 1;
    std::vector<double> weights = normals(rule.class_weights ? 10 : 0, 3), loss(losses), dz(60);
    for (double& weight : weights) weight = std::exp(weight);
    DualVector z_dual = duals(z, v), weights_dual(weights.begin(), weights.end()), loss_dual(losses),
               dz_dual(60);
    call_reference(softmax_cross_entropy_reference<Dual<double>>, op, z_dual, label, weights_dual, loss_dual,
                   dz_dual);
    call_reference(softmax_cross_entropy_reference<double>, op, z, label, weights, loss, dz);
    const auto w = losses == 1 ? std::vector<double>{1} : normals(losses, 4);
    for (std::size_t i = 0; i < dz.size(); ++i) dz[i] *= losses == 1 ? 1 : w[i / 10];
    EXPECT_LT(adjoint_gap(Inner().add(derivatives(loss_dual), w), Inner().add(v, dz)), kAdjointTolerance)
        << op;
  }
}

TEST(Losses, TextsOfWhatIsUsualAreWhatTheyWere) {
  EXPECT_EQ(MeanSquaredError(DType::kF32, 2, 3).text(), "n2 k3");
  EXPECT_EQ(MeanSquaredError(DType::kF32, 2, 3, Reduce::kNone).text(), "n2 k3 none");
  EXPECT_EQ(SoftmaxCrossEntropy(DType::kF32, 2, 3).text(), "n2 k3");
  EXPECT_EQ(SoftmaxCrossEntropy(DType::kF32, 2, 3, {true, 7, 0.25, Reduce::kSum}).text(),
            "n2 k3 weights ignore7 smoothing0.25 sum");
}

TEST(SoftmaxCrossEntropy, NamesTheLabelThatMakesItsLossNan) {
  struct GivenLabels final : HostBuffers {
    std::vector<double> labels;
    std::vector<double> numbers(std::size_t buffer) const override {
      return buffer == 1 ? labels : std::vector<double>();
    }
  };
  const auto reason = [](const std::vector<double>& labels, const CrossEntropyRule& rule) {
    GivenLabels inputs;
    inputs.labels = labels;
    return SoftmaxCrossEntropy(DType::kF32, static_cast<std::int64_t>(labels.size()), 10, rule)
        .why_not_finite(inputs);
  };
  EXPECT_EQ(reason({0, 9, -100, 17, 18}, {}), "label 17 of row 3 is outside 0 … 9");
  EXPECT_EQ(reason({-1}, {.reduce = Reduce::kNone}), "label -1 of row 0 is outside 0 … 9");
  EXPECT_EQ(reason({2, 2}, {.ignore_index = 2}), "every label is the ignored 2, so there is no mean");
  EXPECT_EQ(reason({2, 2}, {.ignore_index = 2, .reduce = Reduce::kSum}), "");
  EXPECT_EQ(reason({0, 9, -100}, {}), "");
}

// ---- through the tape

struct LossFunctions : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};
  Tape tape{context};
  Pass pass{context, &tape, true};

  Tensor tensor(const Shape& shape, const std::vector<double>& values, DType dtype = DType::kF32) {
    const Tensor t = allocate_tensor({}, shape, dtype);
    from_host(values, t, context.stream);
    return t;
  }
  Var variable(const Shape& shape, const std::vector<double>& values) {
    const Var var = constant(tensor(shape, values));
    var->needs_grad = true;
    return var;
  }
  /// The sum of the squares of `losses`, and its gradients.
  void square_and_go_back(const Var& losses) {
    const Shape& s = losses->value.shape();
    const Var matrix = s.rank() == 2 ? losses : reshape(pass, losses, {s[0], 1});
    const Tensor zeros =
        tensor(matrix->value.shape(), std::vector<double>(static_cast<std::size_t>(s.count())));
    tape.backward(mean_squared_error(pass, matrix, zeros, Reduce::kSum));
  }
  std::vector<double> host(const Tensor& t) { return to_host(t, context.stream); }
};

TEST_F(LossFunctions, ThatAreNotReducedPassOnAGradientOfTheirOwn) {
  const Var p = variable({2, 2}, {4, 1, 0, 2});
  const Var squares = mean_squared_error(pass, p, tensor({2, 2}, {1, 2, 0, -1}), Reduce::kNone);
  EXPECT_EQ(squares->value.shape(), (Shape{2, 2}));
  square_and_go_back(squares);
  EXPECT_EQ(host(p->grad), (std::vector<double>{2 * 9 * 6, 2 * 1 * -2, 0, 2 * 9 * 6}));

  const Var z = variable({3, 2}, {0, std::log(3.0), 0, std::log(3.0), 0, std::log(3.0)});
  const Var losses = softmax_cross_entropy(pass, z, tensor({3}, {0, -100, 1}, DType::kI32),
                                           {.class_weights = tensor({2}, {2, 0.5}), .reduce = Reduce::kNone});
  EXPECT_EQ(losses->value.shape(), (Shape{3}));
  square_and_go_back(losses);
  const double first = 2 * 2 * kRare, last = 2 * 0.5 * kOften;  // derivatives of the squares
  const std::vector<double> got = host(z->grad),
                            want{-1.5 * first, 1.5 * first, 0, 0, 0.125 * last, -0.125 * last};
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5) << i;
}

TEST_F(LossFunctions, OfAnEmptyBatchThatAreNotReducedSumToZero) {
  const Var p = variable({0, 2}, {}), z = variable({0, 3}, {});
  const auto sum_and_go_back = [&](const Var& losses) {
    const Var sum = reduce_axes(pass, losses, AxisReduction::kSum, {});
    EXPECT_EQ(host(sum->value), std::vector<double>{0});
    tape.backward(sum);
  };
  sum_and_go_back(mean_squared_error(pass, p, tensor({0, 2}, {}), Reduce::kNone));
  EXPECT_EQ(p->grad.shape(), (Shape{0, 2}));
  sum_and_go_back(softmax_cross_entropy(pass, z, tensor({0}, {}, DType::kI32), {.reduce = Reduce::kNone}));
  EXPECT_EQ(z->grad.shape(), (Shape{0, 3}));
}

TEST_F(LossFunctions, AWrongLabelIsANanAndNoGradient) {
  const Var z = variable({2, 3}, {1, 2, 3, 4, 5, 6});
  const Var loss = softmax_cross_entropy(pass, z, tensor({2}, {3, 1}, DType::kI32));
  EXPECT_TRUE(std::isnan(host(loss->value)[0]));
  tape.backward(loss);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(host(z->grad)[i] == 0, i < 3) << i;
}

TEST_F(LossFunctions, OptionsAreCheckedInWords) {
  const Var z = variable({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor labels = tensor({2}, {0, 1}, DType::kI32);
  const auto expect = [&](const CrossEntropyOptions& options, std::string_view words) {
    try {
      softmax_cross_entropy(pass, z, labels, options);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  expect({.class_weights = tensor({2}, {1, 1})}, "2 weights of classes for logits of shape [2, 3]");
  expect({.label_smoothing = 1.5}, "label smoothing must be in [0, 1], but it is 1.5");
  expect({.label_smoothing = kNan}, "label smoothing must be in [0, 1]");
}

}  // namespace
}  // namespace umbra
