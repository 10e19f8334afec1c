// Joining along an axis and splitting: values by hand, round trips, and each as the adjoint of the other.
#include <gtest/gtest.h>

#include "engine/ops/data_movement/concatenate_reference.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

TEST(Concatenate, SmallExampleByHand) {
  // Two rows of parts with one, no and two columns of two numbers each; the digits of a number are part, row
  // and position.
  const std::vector<float> a{111, 112, 121, 122}, b, c{311, 312, 313, 314, 321, 322, 323, 324};
  const std::vector<float> whole{111, 112, 311, 312, 313, 314, 121, 122, 321, 322, 323, 324};
  with_every_rung(
      Concatenate(DType::kF32, 2, {1, 0, 2}, 2),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto& y) {
        EXPECT_EQ(y, whole) << rung;
      },
      a, b, c, std::vector<float>(12));
  with_every_rung(
      Split(DType::kF32, 2, {1, 0, 2}, 2),
      [&](std::string_view rung, const auto&, const auto& first, const auto&, const auto& third) {
        EXPECT_EQ(first, a) << rung;
        EXPECT_EQ(third, c) << rung;
      },
      whole, std::vector<float>(4), std::vector<float>(), std::vector<float>(8));
}

TEST(Concatenate, EachIsTheOthersAdjoint) {
  for (const auto& [outer, inner] : {std::pair{3, 5}, std::pair{1, 7}, std::pair{6, 1}}) {
    const std::vector<std::int64_t> extents{2, 3};
    const auto rows = static_cast<std::size_t>(outer * inner);
    const auto va = normals(2 * rows, 1), vb = normals(3 * rows, 2), w = normals(5 * rows, 3);
    std::vector<double> jv(5 * rows), jtw_a(2 * rows), jtw_b(3 * rows);
    call_reference(concatenate_reference<double>, Concatenate(DType::kF64, outer, extents, inner), va, vb,
                   jv);
    call_reference(split_reference<double>, Split(DType::kF64, outer, extents, inner), w, jtw_a, jtw_b);
    EXPECT_LT(adjoint_gap(Inner().add(jv, w), Inner().add(va, jtw_a).add(vb, jtw_b)), kAdjointTolerance);
  }
}

TEST(Concatenate, ThereAndBack) {
  for (std::int64_t outer : {1, 2, 31}) {
    for (std::int64_t inner : {1, 3, 64, 16411}) {
      const auto rows = static_cast<std::size_t>(outer * inner);
      std::vector<float> a(rows), b(2 * rows), whole(3 * rows), a_back(rows), b_back(2 * rows);
      for (std::size_t i = 0; i < rows; ++i) a[i] = static_cast<float>(i);
      for (std::size_t i = 0; i < b.size(); ++i) b[i] = -static_cast<float>(i);
      const Concatenate there(DType::kF32, outer, {1, 2}, inner);
      const Split back(DType::kF32, outer, {1, 2}, inner);
      call_kernel(all_kernels().choose(there, Device::Kind::kCpu), there, a, b, whole);
      call_kernel(all_kernels().choose(back, Device::Kind::kCpu), back, whole, a_back, b_back);
      ASSERT_EQ(a_back, a) << there;
      ASSERT_EQ(b_back, b) << there;
    }
  }
}

}  // namespace
}  // namespace umbra
