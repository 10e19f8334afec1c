// Batches of samples that are lists: on a CPU they have the rows of their longest sample and no more, and so may what is
// predicted for them.
#include <gtest/gtest.h>

#include "engine/nn/layers.h"
#include "engine/optim/optimizer.h"
#include "engine/train/trainer.h"

namespace umbra {
namespace {

// Sample i has i + 1 rows of two numbers, each i, then zeros; its target is 100 i and a 1 per row.
class Lists final : public Dataset {
 public:
  std::int64_t size() const override { return 6; }
  Shape input_shape() const override { return {6, 2}; }
  Shape target_shape() const override { return {1 + 6}; }
  std::int64_t rows(std::int64_t index) const override { return index + 1; }
  void read(std::int64_t index, const Rng*, std::span<float> input, std::span<float> target) const override {
    const std::size_t own = static_cast<std::size_t>(index) + 1;
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = i < 2 * own ? static_cast<float>(index) : 0;
    target[0] = 100 * static_cast<float>(index);
    for (std::size_t i = 1; i < target.size(); ++i) target[i] = i <= own ? 1 : 0;
  }
};

TEST(ListBatches, HaveTheRowsOfTheirLongestSample) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const Lists data;
  const Loader loader(data, {2, 1, false, false, false});
  StagedBatches staged(context, loader, 0);
  for (std::int64_t step = 0; step < 3; ++step) {
    staged.stage(context, step);
    const Batch batch = staged.gather(context);
    const std::int64_t rows = 2 * step + 2;
    ASSERT_EQ(batch.input.shape(), (Shape{2, rows, 2}));
    ASSERT_EQ(batch.target.shape(), (Shape{2, 1 + rows}));
    EXPECT_EQ(staged.host_target(step).shape(), batch.target.shape());
    std::vector<double> input, target;
    for (std::int64_t sample = 2 * step; sample < 2 * step + 2; ++sample) {
      target.push_back(100 * static_cast<double>(sample));
      for (std::int64_t row = 0; row < rows; ++row) {
        input.insert(input.end(), 2, row <= sample ? static_cast<double>(sample) : 0);
        target.push_back(row <= sample ? 1 : 0);
      }
    }
    EXPECT_EQ(to_host(batch.input, context.stream), input);
    EXPECT_EQ(to_host(batch.target, context.stream), target);
  }
}

// A number for the whole list and one per row.
Var predicted(Pass& pass, Module& of_row, const Var& x) {
  const Shape& s = x->value.shape();
  const Var rows = of_row.forward(pass, reshape(pass, x, {s[0] * s[1], s[2]}));
  const Var each = reshape(pass, rows, {s[0], s[1]});
  const Var all = reduce_axes(pass, each, AxisReduction::kSum, {1});
  return concatenate(pass, {reshape(pass, all, {s[0], 1}), each}, 1);
}

class LossAndMetric final : public Observer {
 public:
  void on_step(const Report& report) override { seen.push_back(report); }
  std::vector<Report> seen;
};

// Without Objective::report all of a prediction is reported, whose shape is that of its batch.
TEST(ListBatches, TrainWithPredictionsOfTheirRows) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build{{}, DType::kF32, 3};
  Linear of_row(build, 2, 1);
  Objective objective;
  objective.predict = [&](Pass& pass, const Var& x) { return predicted(pass, of_row, x); };
  objective.loss = [](Pass& pass, const Var& p, const Tensor& target) {
    return mean_squared_error(pass, p, target);
  };
  objective.metric = [](std::span<const double> p, std::span<const double> target) {
    EXPECT_EQ(p.size(), target.size());
    double sum = 0;
    for (std::size_t i = 0; i < std::min(p.size(), target.size()); ++i)
      sum += (p[i] - target[i]) * (p[i] - target[i]);
    return sum;
  };
  TrainerOptions options;
  options.epochs = 2;
  options.learning_rate = [](std::int64_t) { return 1e-3; };
  const Lists data;
  const Loader loader(data, {2, 1, false, false, false});
  const auto adam = make_adam(of_row.parameters(), {});
  LossAndMetric reports;
  Trainer(context, of_row, *adam, objective, options).run(loader, nullptr, 0, {&reports});
  ASSERT_EQ(reports.seen.size(), 6u);
  for (const Report& report : reports.seen) {
    const auto numbers = static_cast<double>(1 + 2 * (report.step - 1) % 6 + 2);  // of a sample
    EXPECT_NEAR(report.metric / numbers, report.loss, 1e-5 * report.loss) << report.step;
  }
}

}  // namespace
}  // namespace umbra
