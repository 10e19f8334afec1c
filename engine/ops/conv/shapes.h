// Convolutions on which every rung of the three passes and of inference is tested and timed: the layers of
// the UM ResNet (Nadler & To 2018), two layers of a small ResNet18, edge cases (ones, primes, a tile or a
// vector plus or minus one, padding that reaches past the data, strides that skip it), and dilation and
// groups.
#pragma once

#include <vector>

#include "engine/ops/conv/geometry.h"

namespace umbra {

/// One convolution on cubes: batch, channels, extent, kernel, stride, padding.
inline ConvGeometry conv_on_cube(std::int64_t batch, std::int64_t in_channels, std::int64_t out_channels,
                                 std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                                 std::int64_t padding) {
  return {batch,
          in_channels,
          out_channels,
          {extent, extent, extent},
          {kernel, kernel, kernel},
          {stride, stride, stride},
          {padding, padding, padding}};
}

/// One 2-D convolution on squares.
inline ConvGeometry conv_on_square(std::int64_t batch, std::int64_t in_channels, std::int64_t out_channels,
                                   std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                                   std::int64_t padding) {
  return {batch,
          in_channels,
          out_channels,
          {1, extent, extent},
          {1, kernel, kernel},
          {1, stride, stride},
          {0, padding, padding}};
}

/// The distinct convolutions of the UM ResNet with C channels after the stem.
inline std::vector<ConvGeometry> um_resnet_convolutions(std::int64_t batch, std::int64_t C) {
  return {
      conv_on_cube(batch, 1, C, 25, 3, 2, 3),         // stem, 25 -> 15
      conv_on_cube(batch, C, C, 8, 3, 2, 1),          // layer1, 8 -> 4
      conv_on_cube(batch, C, C, 8, 1, 2, 0),          // layer1, downsample
      conv_on_cube(batch, C, C, 4, 3, 1, 1),          // layer1, 4 -> 4
      conv_on_cube(batch, C, 2 * C, 4, 3, 2, 1),      // layer2, 4 -> 2
      conv_on_cube(batch, C, 2 * C, 4, 1, 2, 0),      // layer2, downsample
      conv_on_cube(batch, 2 * C, 2 * C, 2, 3, 1, 1),  // layer2, 2 -> 2
      conv_on_cube(batch, 2 * C, 4 * C, 2, 3, 2, 1),  // layer3, 2 -> 1: 8 of 27 taps live
      conv_on_cube(batch, 2 * C, 4 * C, 2, 1, 2, 0),  // layer3, downsample
      conv_on_cube(batch, 4 * C, 4 * C, 1, 3, 1, 1),  // layer3, 1 -> 1: 1 of 27 taps live
  };
}

inline std::vector<ConvGeometry> nasty_convolutions() {
  std::vector<ConvGeometry> list{
      conv_on_square(2, 3, 16, 32, 7, 2, 3),   // ResNet18's stem, scaled down
      conv_on_square(2, 64, 64, 14, 3, 1, 1),  // ResNet18
      conv_on_square(1, 32, 48, 14, 3, 2, 1),  // ResNet18, between stages
      conv_on_square(3, 5, 7, 9, 5, 3, 2),
      conv_on_cube(1, 1, 1, 1, 1, 1, 0),
      conv_on_cube(1, 1, 1, 1, 3, 1, 3),  // 5^3 outputs of one input: most of them read only padding
      conv_on_cube(3, 2, 5, 1, 1, 2, 1),  // no pair at all: both outputs miss the data
      conv_on_cube(5, 3, 2, 3, 2, 3, 3),  // steps over data
      conv_on_cube(2, 7, 11, 5, 2, 2, 0),
      conv_on_cube(7, 13, 3, 3, 5, 1, 2),      // kernel larger than the volume
      conv_on_cube(2, 101, 100, 2, 3, 1, 1),   // weights too large for a cache, channels in uneven slices
      conv_on_cube(17, 130, 140, 2, 3, 1, 1),  // more than a second-level cache: prefetching tiles
      conv_on_square(8, 5, 33, 32, 3, 1, 1),   // so many positions that wgrad sums them in parts
      conv_on_square(7, 2, 3, 20, 3, 1, 1),    // and also on a GPU
      conv_on_cube(3, 200, 5, 2, 3, 1, 1),     // long sums with few outputs, which a GPU divides into parts
      conv_on_cube(3, 5, 200, 2, 3, 1, 1),
      // Just enough outputs for each of a GPU's larger tiles: in fprop, in dgrad, in both, in wgrad.
      conv_on_square(10, 1, 65, 27, 1, 1, 0),
      conv_on_square(4, 1, 65, 60, 1, 1, 0),
      conv_on_square(10, 65, 1, 27, 1, 1, 0),
      conv_on_square(4, 65, 1, 60, 1, 1, 0),
      conv_on_square(3, 1, 2, 70, 3, 1, 1),
      conv_on_cube(1, 65, 7105, 1, 1, 1, 0),
      conv_on_cube(1, 2, 14341, 1, 1, 1, 0),
      {4, 3, 5, {2, 5, 3}, {1, 3, 2}, {1, 2, 3}, {0, 2, 1}},
      {3, 6, 4, {7, 1, 4}, {5, 1, 3}, {2, 1, 1}, {3, 0, 2}},
      {2, 4, 9, {3, 4, 5}, {2, 3, 1}, {3, 1, 2}, {1, 0, 3}},
  };
  // One less and one more than tiles (1 … 12 rows) and vectors (4, 8, 16, 32 lanes), in every role.
  for (const std::int64_t n : {4, 9, 11, 15, 16, 17, 31, 33, 49}) {
    list.push_back(conv_on_cube(n, 3, 4, 2, 3, 1, 1));
    list.push_back(conv_on_cube(2, n, 3, 2, 2, 1, 1));
    list.push_back(conv_on_cube(3, 2, n, 2, 2, 2, 1));
  }
  return list;
}

/// For rounded operands: sums of odd length, blocks of weights divided along every axis, vectors of 16 and
/// of 4 lanes.
inline std::vector<ConvGeometry> bf16_convolutions() {
  std::vector<ConvGeometry> list{
      conv_on_square(2, 3, 16, 32, 7, 2, 3),
      conv_on_square(2, 64, 64, 14, 3, 1, 1),
      conv_on_square(3, 5, 7, 9, 5, 3, 2),
      conv_on_cube(1, 1, 1, 1, 1, 1, 0),
      conv_on_cube(1, 1, 1, 1, 3, 1, 3),
      conv_on_cube(3, 2, 5, 1, 1, 2, 1),
      conv_on_cube(5, 3, 2, 3, 2, 3, 3),
      conv_on_cube(7, 13, 3, 3, 5, 1, 2),
      conv_on_cube(2, 101, 100, 2, 3, 1, 1),    // 51 pairs, the last of one channel
      conv_on_cube(33, 130, 141, 2, 3, 1, 1),   // groups of taps
      conv_on_square(3, 2051, 25, 1, 1, 1, 0),  // more channels than a block of weights has steps
      conv_on_square(3, 25, 2051, 1, 1, 1, 0),
      conv_on_square(9, 5, 33, 32, 3, 1, 1),  // positions in parts
      {4, 3, 5, {2, 5, 3}, {1, 3, 2}, {1, 2, 3}, {0, 2, 1}},
      {2, 4, 9, {3, 4, 5}, {2, 3, 1}, {3, 1, 2}, {1, 0, 3}},
  };
  for (const std::int64_t n : {4, 7, 11, 12, 13, 15, 16, 17, 31, 33, 49}) {
    list.push_back(conv_on_cube(n, 3, 4, 2, 3, 1, 1));
    list.push_back(conv_on_cube(2, n, 3, 2, 2, 1, 1));
    list.push_back(conv_on_cube(3, 2, n, 2, 2, 2, 1));
  }
  return list;
}

/// For rounded operands, small: tiles of 8, 16, 32, 64 plus and minus a few in every role, sums that end
/// within a step of an instruction, positions without a tap.
inline std::vector<ConvGeometry> tensor_core_convolutions() {
  return {
      conv_on_cube(32, 16, 16, 2, 3, 1, 1),
      conv_on_cube(1, 20, 20, 4, 3, 1, 1),
      conv_on_cube(5, 20, 24, 4, 3, 2, 1),
      conv_on_cube(33, 20, 40, 4, 1, 2, 0),
      conv_on_square(33, 17, 16, 3, 3, 1, 1),
      conv_on_cube(32, 40, 17, 2, 2, 1, 0),
      conv_on_cube(32, 24, 40, 1, 3, 1, 1),
      conv_on_cube(33, 65, 64, 1, 1, 1, 0),
      conv_on_square(5, 64, 65, 3, 3, 2, 1),
      conv_on_cube(5, 200, 100, 1, 3, 1, 1),
      conv_on_cube(1, 100, 200, 2, 3, 2, 1),
      conv_on_cube(33, 200, 5, 1, 1, 1, 0),
      conv_on_cube(33, 5, 200, 1, 1, 1, 0),
      conv_on_cube(33, 256, 3, 1, 1, 1, 0),
      conv_on_cube(33, 3, 256, 1, 1, 1, 0),
      conv_on_cube(5, 1, 3, 5, 3, 2, 1),
      conv_on_cube(1, 5, 1, 3, 3, 1, 1),
      conv_on_cube(1, 1, 1, 1, 3, 1, 3),   // 5^3 outputs of one input
      conv_on_cube(3, 2, 5, 1, 1, 2, 1),   // no pair at all
      conv_on_cube(5, 3, 17, 3, 2, 3, 3),  // steps over data
      conv_on_cube(1, 16, 5, 3, 5, 1, 2),  // kernel larger than the volume
      {4, 17, 24, {2, 5, 3}, {1, 3, 2}, {1, 2, 3}, {0, 2, 1}},
      {33, 24, 17, {3, 4, 5}, {2, 3, 1}, {3, 1, 2}, {1, 0, 3}},
      // Just enough outputs for each of a GPU's larger tiles, in one pass or two each.
      conv_on_square(4, 1, 65, 60, 1, 1, 0),
      conv_on_square(4, 65, 1, 60, 1, 1, 0),
      conv_on_square(3, 1, 2, 70, 3, 1, 1),
      conv_on_cube(7, 2, 14341, 1, 1, 1, 0),
      conv_on_cube(7, 14341, 2, 1, 1, 1, 0),
  };
}

/// With dilation that is a multiple of the stride, a divisor of it, or neither; with groups, down to one
/// channel each; with both.
inline std::vector<ConvGeometry> dilated_and_grouped_convolutions() {
  constexpr Triple kOnes{1, 1, 1}, kSquare{1, 3, 3};
  return {
      {3, 5, 7, {1, 9, 9}, kSquare, kOnes, {0, 2, 2}, {1, 2, 2}},
      {2, 3, 4, {1, 3, 3}, kSquare, kOnes, {0, 4, 4}, {1, 4, 4}},  // 1 of 9 taps live
      {2, 6, 4, {1, 11, 8}, {1, 3, 4}, {1, 2, 3}, {0, 3, 5}, {1, 3, 2}},
      {2, 3, 5, {1, 12, 13}, kSquare, {1, 4, 6}, {0, 2, 3}, {1, 2, 4}},
      {5, 4, 6, {5, 4, 6}, {3, 2, 2}, {1, 2, 1}, {2, 1, 1}, {2, 3, 4}},
      {33, 20, 20, {4, 4, 4}, {3, 3, 3}, kOnes, {2, 2, 2}, {2, 2, 2}},
      {9, 5, 33, {1, 32, 32}, kSquare, kOnes, {0, 2, 2}, {1, 2, 2}},    // wgrad in parts
      {1, 2, 3, {1, 40, 50}, kSquare, kOnes, {0, 18, 0}, {1, 18, 12}},  // exceeds a GPU's sets of taps
      {2, 4, 6, {1, 5, 7}, kSquare, kOnes, {0, 1, 1}, kOnes, 2},
      {17, 6, 3, {1, 4, 4}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, kOnes, 3},
      {3, 8, 4, {1, 3, 4}, kOnes, {1, 2, 1}, {0, 0, 0}, kOnes, 4},
      {8, 64, 64, {1, 7, 7}, kSquare, kOnes, {0, 1, 1}, kOnes, 8},  // ResNeXt, scaled down
      {5, 12, 18, {2, 3, 4}, {2, 3, 1}, {1, 2, 1}, {1, 1, 0}, kOnes, 6},
      {33, 5, 5, {1, 6, 5}, kSquare, {1, 2, 2}, {0, 1, 1}, kOnes, 5},
      {32, 32, 32, {1, 14, 14}, kSquare, kOnes, {0, 1, 1}, kOnes, 32},  // MobileNet
      {1, 3, 6, {1, 5, 5}, kSquare, kOnes, {0, 1, 1}, kOnes, 3},
      {4, 17, 17, {4, 3, 4}, {3, 3, 3}, {2, 1, 1}, {1, 1, 1}, kOnes, 17},
      {3, 2, 4, kOnes, kOnes, {2, 2, 2}, {1, 1, 1}, kOnes, 2},  // no pair at all
      {2, 10, 6, {1, 6, 5}, {1, 2, 3}, {1, 2, 1}, {0, 1, 2}, {1, 3, 2}, 2},
      {2, 2, 4, {5, 4, 5}, {2, 2, 2}, {1, 1, 2}, {1, 1, 0}, {2, 3, 1}, 2},
  };
}

}  // namespace umbra
