// Tensors in batch-last layout: the order in memory, the conversion back, and positions that are not stored.
#include "engine/tensor/layout.h"

#include <gtest/gtest.h>

#include "engine/tensor/tensor.h"

namespace umbra {
namespace {

struct LayoutTest : testing::Test {
  Stream stream{Device{}};
  std::vector<double> ramp(std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i + 1);
    return values;
  }
  std::vector<float> memory(const Tensor& t) {
    const auto values = t.values<float>();
    return {values.begin(), values.end()};
  }
};

TEST_F(LayoutTest, BatchLastPutsSamplesSideBySide) {
  const Tensor t = allocate_tensor({}, {2, 3, 1, 2}, DType::kF32, Layout::batch_last());  // [N, C, H, W]
  from_host(ramp(12), t, stream);
  // position 0: channels 0, 1, 2 of samples 0 and 1; then position 1
  EXPECT_EQ(memory(t), (std::vector<float>{1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12}));
  EXPECT_EQ(to_host(t, stream), ramp(12));
  EXPECT_FALSE(t.row_major());
}

TEST_F(LayoutTest, PositionsThatAreNotHeldAreZero) {
  const Tensor t = allocate_tensor({}, {1, 2, 3}, DType::kF32, Layout::batch_last({2, 0}));
  EXPECT_EQ(t.count(), 4);
  EXPECT_EQ(t.bytes(), 16U);
  from_host(ramp(6), t, stream);
  EXPECT_EQ(memory(t), (std::vector<float>{3, 6, 1, 4}));
  EXPECT_EQ(to_host(t, stream), (std::vector<double>{1, 0, 3, 4, 0, 6}));
  const Tensor dense = row_major_on_host(t, stream);
  EXPECT_TRUE(dense.row_major());
  EXPECT_EQ(memory(dense), (std::vector<float>{1, 0, 3, 4, 0, 6}));
}

TEST_F(LayoutTest, ElementsAreThoseInMemory) {
  const Tensor t = allocate_tensor({}, {2, 2}, DType::kF32, Layout::batch_last());
  from_host(ramp(4), t, stream);
  EXPECT_EQ(memory(t.elements(1, 2)), (std::vector<float>{3, 2}));
  EXPECT_THROW(t.elements(3, 2), Error);
}

TEST_F(LayoutTest, MisuseIsASentence) {
  const Tensor t = allocate_tensor({}, {2, 3}, DType::kF32, Layout::batch_last());
  const Tensor u = allocate_tensor({}, {2, 3}, DType::kF32);
  EXPECT_THROW(t.reshaped({6}), Error);
  EXPECT_THROW(copy(t, u, stream), Error);
  EXPECT_THROW(allocate_tensor({}, {3}, DType::kF32, Layout::batch_last()), Error);
  EXPECT_THROW(from_host(ramp(5), t, stream), Error);
  EXPECT_NE(Layout(), Layout::batch_last());
  EXPECT_EQ(Layout::batch_last({0, 1}), Layout::batch_last({0, 1}));
  EXPECT_NE(Layout::batch_last({0, 1}), Layout::batch_last({1, 0}));
}

}  // namespace
}  // namespace umbra
