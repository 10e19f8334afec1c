// Batches of samples that are lists: on a CPU they have the rows of their longest sample and no more.
#include <gtest/gtest.h>

#include "engine/train/loader.h"

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

}  // namespace
}  // namespace umbra
