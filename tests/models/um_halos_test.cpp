// um_halos: neither the order of halos nor padding matters, probabilities are some, and gradients are those of
// differences.
#include "models/um_halos.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace umbra {
namespace {

constexpr std::int64_t kFeatures = 3, kParameters = 2, kBins = 4, kClasses = kBins + 1,
                       kColumns = kFeatures + kParameters + kListColumns;

// Lists with random halos, padded to `rows`.
std::vector<double> lists(const std::vector<std::int64_t>& halos, std::int64_t rows, bool reversed = false) {
  std::vector<double> numbers;
  for (std::size_t box = 0; box < halos.size(); ++box) {
    const Rng rng(5, Purpose::kTest, box);
    for (std::int64_t row = 0; row < rows; ++row) {
      const bool absent = row >= halos[box];
      const std::int64_t halo = reversed ? halos[box] - 1 - row : row;
      for (std::int64_t f = 0; f < kFeatures; ++f)
        numbers.push_back(absent ? 0 : rng.normal(static_cast<std::uint64_t>(halo * kFeatures + f)));
      for (std::uint64_t p = 0; p < kParameters; ++p) numbers.push_back(rng.normal(1000 + p));
      numbers.push_back(absent ? 0 : 1.0 / static_cast<double>(halos[box]));
      numbers.push_back(absent ? 1 : 0);
    }
  }
  return numbers;
}

struct UmHalosTest : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};

  UmHalos network(std::int64_t embedding = 4) {
    Build build{{}, DType::kF64, 3};
    return UmHalos(build, {.hidden = 6,
                           .embedding = embedding,
                           .features = kFeatures,
                           .parameters = kParameters,
                           .bins = kBins});
  }
  Var forward(UmHalos& net, const std::vector<double>& numbers, std::int64_t boxes, Tape* tape = nullptr) {
    const std::int64_t rows = static_cast<std::int64_t>(numbers.size()) / boxes / kColumns;
    const Tensor input = allocate_tensor({}, {boxes, rows, kColumns}, DType::kF64);
    from_host(numbers, input, context.stream);
    Pass pass{context, tape};
    return net.forward(pass, constant(input));
  }
  std::vector<double> output(UmHalos& net, const std::vector<double>& numbers, std::int64_t boxes) {
    return to_host(forward(net, numbers, boxes)->value, context.stream);
  }
  // The expected number of galaxies of every bin.
  std::vector<double> counts(const std::vector<double>& logs, std::int64_t boxes) {
    std::vector<double> sums(static_cast<std::size_t>(boxes * kBins), 0.0);
    const std::size_t of_box = logs.size() / static_cast<std::size_t>(boxes);
    for (std::size_t i = 0; i < logs.size(); ++i)
      if (i % kClasses < kBins) sums[i / of_box * kBins + i % kClasses] += std::exp(logs[i]);
    return sums;
  }
  static void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << i;
  }
};

TEST_F(UmHalosTest, NeitherOrderNorPaddingChangesTheCounts) {
  UmHalos net = network();
  const std::vector<std::int64_t> halos{4, 7, 1, 0};
  const std::vector<double> usual = counts(output(net, lists(halos, 7), 4), 4);
  expect_near(counts(output(net, lists(halos, 7, true), 4), 4), usual);
  expect_near(counts(output(net, lists(halos, 30), 4), 4), usual);
}

TEST_F(UmHalosTest, AHaloHasOneGalaxyAtMostAndPaddingNone) {
  UmHalos net = network();
  const std::vector<double> logs = output(net, lists({2, 3}, 3), 2);
  for (std::size_t row = 0; row < logs.size() / kClasses; ++row) {
    double sum = 0, in_bins = 0;
    for (std::size_t k = 0; k < kClasses; ++k) sum += std::exp(logs[row * kClasses + k]);
    for (std::size_t k = 0; k < kBins; ++k) in_bins += std::exp(logs[row * kClasses + k]);
    if (row % 4 == 3) continue;  // the background, which is not a probability
    EXPECT_NEAR(sum, 1, 1e-12) << row;
    EXPECT_EQ(in_bins < 1e-30, row == 2) << row;  // the first list has two halos and a row of padding
  }
}

// A halo knows of the others through the embedding, and through nothing else.
TEST_F(UmHalosTest, TheEmbeddingIsWhatHalosKnowOfOneAnother) {
  for (const std::int64_t embedding : {0, 4}) {
    UmHalos net = network(embedding);
    std::vector<double> numbers = lists({3}, 3);
    const std::vector<double> before = output(net, numbers, 1);
    numbers[2 * kColumns] += 1;  // the last halo
    const std::vector<double> after = output(net, numbers, 1);
    EXPECT_EQ(before[0] == after[0], embedding == 0);
    EXPECT_NE(before[2 * kClasses], after[2 * kClasses]);
  }
}

// Halos that are alike stay alike: dropout is of the sub-box.
TEST_F(UmHalosTest, DropoutIsOfTheSummaryAlone) {
  Build build{{}, DType::kF64, 3};
  UmHalos net(
      build, {.hidden = 32, .dropout = 0.5, .features = kFeatures, .parameters = kParameters, .bins = kBins});
  std::vector<double> numbers = lists({2}, 2);
  for (std::size_t i = 0; i < kColumns; ++i) numbers[kColumns + i] = numbers[i];
  const Tensor input = allocate_tensor({}, {1, 2, kColumns}, DType::kF64);
  from_host(numbers, input, context.stream);
  const std::vector<double> quiet = output(net, numbers, 1);
  Pass pass{context};
  pass.training = true;
  const std::vector<double> logs = to_host(net.forward(pass, constant(input))->value, context.stream);
  EXPECT_NE(logs[0], quiet[0]);
  for (std::size_t k = 0; k < kClasses; ++k) EXPECT_EQ(logs[k], logs[kClasses + k]) << k;
}

// And has a limit: e^4 times that, whatever the parameters of a box are.
TEST_F(UmHalosTest, TheBackgroundStartsNearItsMeanAndIsLimited) {
  const std::vector<double> mean{1, -2, 0.5, -3};
  Build build{{}, DType::kF64, 3};
  UmHalos net(build, {.features = kFeatures, .parameters = kParameters, .bins = kBins, .background = mean});
  std::vector<double> numbers = lists({40}, 40);
  const std::vector<double> logs = output(net, numbers, 1);
  for (std::size_t k = 0; k < kBins; ++k) EXPECT_NEAR(logs[40 * kClasses + k], mean[k], 0.05) << k;
  for (std::size_t row = 0; row < 40; ++row) numbers[row * kColumns + kFeatures] = 1e6;
  const std::vector<double> extreme = output(net, numbers, 1);
  std::size_t at_limit = 0;
  for (std::size_t k = 0; k < kBins; ++k) {
    EXPECT_LE(extreme[40 * kClasses + k], mean[k] + 4) << k;
    at_limit += extreme[40 * kClasses + k] == mean[k] + 4 ? 1 : 0;
  }
  EXPECT_GT(at_limit, 0u);
}

TEST_F(UmHalosTest, GradientsAreThoseOfDifferences) {
  UmHalos net = network();
  const std::vector<double> numbers = lists({2, 4}, 4);
  const auto loss = [&](Tape* tape) {
    const Var logs = forward(net, numbers, 2, tape);
    Pass pass{context, tape};
    const Var counts_ = exp(pass, reshape(pass, logs, {2, 5, kClasses}));
    return reduce_axes(pass, mul(pass, counts_, counts_), AxisReduction::kSum, {});
  };
  Tape tape(context);
  tape.backward(loss(&tape));
  for (const Parameter& p : net.parameters()) {
    const std::vector<double> grad = to_host(p.grad(), context.stream);
    const auto value = p.value().values<double>();
    for (const std::size_t i : {std::size_t{0}, value.size() / 2, value.size() - 1}) {
      constexpr double kStep = 1e-5;
      const double at = value[i];
      value[i] = at + kStep;
      const double above = to_host(loss(nullptr)->value, context.stream)[0];
      value[i] = at - kStep;
      const double below = to_host(loss(nullptr)->value, context.stream)[0];
      value[i] = at;
      EXPECT_NEAR(grad[i], (above - below) / (2 * kStep), 1e-7) << p.name << " " << i;
    }
  }
}

}  // namespace
}  // namespace umbra
