// The change of memory order: element by element, the round trip, and its adjoint.
#include <gtest/gtest.h>

#include "engine/ops/data_movement/transpose_reference.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

TEST(Transpose, SmallExampleByHand) {
  // Two samples of two channels at three positions; the digits of a number are sample, channel and position.
  const std::vector<float> sample_first{111, 112, 113, 121, 122, 123, 211, 212, 213, 221, 222, 223};
  const std::vector<float> batch_last{111, 211, 121, 221, 112, 212, 122, 222, 113, 213, 123, 223};
  with_every_rung(
      Transpose(DType::kF32, TransposeTo::kBatchLast, 2, 2, 3),
      [&](std::string_view rung, const auto&, const auto& y) { EXPECT_EQ(y, batch_last) << rung; },
      sample_first, std::vector<float>(12));
  with_every_rung(
      Transpose(DType::kF32, TransposeTo::kSampleFirst, 2, 2, 3),
      [&](std::string_view rung, const auto&, const auto& y) { EXPECT_EQ(y, sample_first) << rung; },
      batch_last, std::vector<float>(12));
}

TEST(Transpose, ThereAndBackForEveryExtent) {
  for (std::int64_t batch : {1, 2, 3, 4, 5, 15, 16, 17, 32, 37}) {
    for (std::int64_t channels : {1, 3}) {
      for (std::int64_t volume : {1, 2, 4, 7, 16, 63, 64, 65, 129}) {
        const auto count = static_cast<std::size_t>(batch * channels * volume);
        std::vector<float> x(count), there(count), back(count);
        for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<float>(i);
        const Transpose to_last(DType::kF32, TransposeTo::kBatchLast, batch, channels, volume);
        const Transpose to_first(DType::kF32, TransposeTo::kSampleFirst, batch, channels, volume);
        call_kernel(all_kernels().choose(to_last, Device::Kind::kCpu), to_last, x, there);
        call_kernel(all_kernels().choose(to_first, Device::Kind::kCpu), to_first, there, back);
        ASSERT_EQ(back, x) << to_last.text();
      }
    }
  }
}

TEST(Transpose, EachDirectionIsTheOthersAdjoint) {
  for (const auto& [n, c, s] : {std::array{4, 3, 5}, std::array{1, 6, 2}, std::array{7, 1, 1}}) {
    const auto count = static_cast<std::size_t>(n * c * s);
    const auto v = normals(count, 1), w = normals(count, 2);
    std::vector<double> jv(count), jtw(count);
    call_reference(transpose_reference<double>, Transpose(DType::kF64, TransposeTo::kBatchLast, n, c, s), v,
                   jv);
    call_reference(transpose_reference<double>, Transpose(DType::kF64, TransposeTo::kSampleFirst, n, c, s), w,
                   jtw);
    EXPECT_LT(adjoint_gap(Inner().add(jv, w), Inner().add(v, jtw)), kAdjointTolerance);
  }
}

}  // namespace
}  // namespace umbra
