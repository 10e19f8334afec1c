// The windows of an input are exactly those that contain it.
#include "engine/ops/pool/pool_windows.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/ops/pool/average_pool.h"

namespace umbra {
namespace {

/// body(geometry) for every small window along H that has an output.
template <class Body>
void for_small_windows(std::int64_t dilation, const Body& body) {
  for (std::int64_t in = 1; in <= 12; ++in) {
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (std::int64_t stride = 1; stride <= 4; ++stride) {
        for (std::int64_t padding = 0; padding <= kernel / 2; ++padding) {
          for (const bool ceil : {false, true}) {
            const PoolGeometry g{
                1, 1, {1, in, 1}, {1, kernel, 1}, {1, stride, 1}, {0, padding, 0}, {1, dilation, 1}, ceil};
            try {
              g.check();
            } catch (const Error&) {
              continue;  // the kernel, with its gaps, does not fit
            }
            body(g);
          }
        }
      }
    }
  }
}

TEST(Windows, AgreeWithTheReferenceInBothDirections) {
  int seen = 0;
  for_small_windows(1, [&](const PoolGeometry& g) {
    const Windows w = windows_of(g);
    ++seen;
    for (int i = 0; i < w.in[1]; ++i) {
      const Windows::Range outputs = w.outputs_of(i, 1);
      for (int o = 0; o < w.out[1]; ++o) {
        const PoolRange want = pool_range(g, o, 1);
        const Windows::Range inputs = w.inputs_of(o, 1);
        ASSERT_EQ(inputs.begin, want.begin) << g << " output " << o;
        ASSERT_EQ(inputs.end, want.end) << g << " output " << o;
        ASSERT_EQ(i >= want.begin && i < want.end, o >= outputs.begin && o < outputs.end)
            << g << " input " << i << " output " << o;
      }
    }
  });
  EXPECT_GT(seen, 800);
}

TEST(Windows, OfAveragesCountTheTapsOfTheOp) {
  int seen = 0;
  for_small_windows(1, [&](const PoolGeometry& g) {
    for (const bool count_padding : {true, false}) {
      const AveragePoolForward op(DType::kF32, g, count_padding);
      const AverageWindows w = average_windows_of(g, count_padding);
      for (int o = 0; o < w.out[1]; ++o, ++seen)
        ASSERT_EQ(w.counted(o, 1), op.counted(o, 1)) << op << " " << o;
    }
  });
  EXPECT_GT(seen, 5000);
}

TEST(Windows, OfMorePositionsThan32BitsHoldAreRefused) {
  constexpr std::int64_t kMany = std::int64_t{1} << 31;
  PoolGeometry g{1, 1, {1, 4, 4}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}};
  EXPECT_EQ(too_many_positions(g), "");
  g.in = {2, kMany / 4, 2};
  EXPECT_NE(too_many_positions(g).find("it supports only volumes of fewer than 2^31"), std::string::npos);
  g.in = {1, 4, 4};
  for (Triple* far : {&g.stride, &g.dilation}) {
    *far = {kMany - 2, 1, 1};
    EXPECT_NE(too_many_positions(g).find("it supports only windows that end"), std::string::npos) << g;
    *far = {1, 1, 1};
  }
}

TEST(Windows, WithGapsAgreeWithTheReferenceToo) {
  int seen = 0;
  for (const std::int64_t dilation : {1, 2, 3, 4}) {
    for_small_windows(dilation, [&](const PoolGeometry& g) {
      const DilatedWindows w = dilated_windows_of(g);
      ++seen;
      for (int o = 0; o < w.out[1]; ++o) {
        const PoolRange want = pool_range(g, o, 1);
        const Windows::Range inputs = w.inputs_of(o, 1);
        ASSERT_EQ(inputs.begin, want.begin) << g << " output " << o;
        ASSERT_EQ(inputs.end, want.end) << g << " output " << o;
        ASSERT_EQ(w.step(1), want.step) << g;
        for (int i = inputs.begin; i < inputs.end; i += w.step(1)) {  // backward must look there
          const Windows::Range outputs = w.outputs_of(i, 1);
          ASSERT_TRUE(o >= outputs.begin && o < outputs.end) << g << " input " << i << " output " << o;
        }
      }
    });
  }
  EXPECT_GT(seen, 2000);
}

}  // namespace
}  // namespace umbra
