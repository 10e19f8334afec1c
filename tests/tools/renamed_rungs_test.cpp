// Kernels that an older run prefers by a name that has since changed.
#include "tools/common/renamed_rungs.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/registry/registry.h"

namespace umbra {
namespace {

TEST(RenamedRungs, OldNamesMeanTheRungsOfToday) {
  EXPECT_EQ(with_names_of_today(""), "");
  EXPECT_EQ(with_names_of_today("add=cpu_1_simd"), "add=cpu_1_simd");
  EXPECT_EQ(with_names_of_today("conv3d=cpu_3_rounded,conv_inference=cpu_1_tiles"),
            "conv3d=cpu_4_rounded,conv_inference=cpu_2_tiles");
  EXPECT_EQ(with_names_of_today("batch_norm_relu_forward=cpu_1_fused,batch_norm_relu_backward=reference"),
            "batch_norm_forward=cpu_2_fused,batch_norm_backward=reference");
  EXPECT_EQ(with_names_of_today("add=cpu_1_simd, conv = cpu_4_bf16"), "add=cpu_1_simd,conv=cpu_6_bf16");
  EXPECT_EQ(with_names_of_today("transpose=cuda_2_tiles,peak_fma=cuda_1_vectors"),
            "transpose=cuda_2_tiled,peak_fma=cuda_2_vectors");
}

TEST(RenamedRungs, TheRegistryKnowsTheNewNames) {
  Registry registry = make_registry();
  for (const char* old :
       {"conv_inference=cpu_1_tiles", "conv_inference=cpu_2_bf16_wide", "conv_inference=cpu_3_bf16",
        "conv_inference=cpu_4_tf32", "conv=cpu_3_rounded", "conv2d=cpu_4_bf16", "linear=cpu_2_rounded",
        "batch_norm_relu_inference=cpu_1_fused", "transpose=cpu_1_tiles"}) {
    EXPECT_THROW(registry.prefer(old), Error) << old;
    EXPECT_NO_THROW(registry.prefer(with_names_of_today(old))) << old;
  }
}

}  // namespace
}  // namespace umbra
