// Windows and the inputs they hold are two views of one relation.
#include <gtest/gtest.h>

#include "engine/ops/pool/max_pool_reference.h"
#include "engine/ops/pool/max_pool_windows.h"

namespace umbra {
namespace {

TEST(Windows, AgreeWithTheReferenceInBothDirections) {
  for (std::int64_t in = 1; in <= 12; ++in) {
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (std::int64_t stride = 1; stride <= 4; ++stride) {
        for (std::int64_t padding = 0; padding <= kernel / 2 && in + 2 * padding >= kernel; ++padding) {
          const PoolGeometry g{1, 1, {1, in, 1}, {1, kernel, 1}, {1, stride, 1}, {0, padding, 0}};
          const Windows w = windows_of(g);
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
        }
      }
    }
  }
}

}  // namespace
}  // namespace umbra
