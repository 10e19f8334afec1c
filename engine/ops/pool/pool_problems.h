// The geometries on which the rungs of pooling over windows are tested and timed: the stem of the network,
// and irregular ones.
#pragma once

#include "engine/ops/pool/pool_geometry.h"

namespace umbra {

inline constexpr PoolGeometry kPoolGeometries[] = {
    {8, 20, {15, 15, 15}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},   // the stem, a quarter of a batch
    {2, 16, {1, 112, 112}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},  // ResNet-18 in two dimensions, fewer channels
    {1, 1, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    {1, 1, {1, 1, 1}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},  // only padding around one number
    {2, 3, {2, 2, 2}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
    {1, 2, {5, 7, 11}, {3, 2, 5}, {1, 2, 3}, {1, 0, 2}},
    {2, 2, {5, 6, 7}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {1, 2, {4, 5, 2}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    {1, 2, {5, 6, 4}, {2, 3, 4}, {1, 3, 2}, {1, 0, 2}},
    {3, 1, {1, 1, 33}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}},
    {2, 2, {1, 9, 8}, {1, 2, 2}, {1, 3, 3}, {0, 0, 0}},  // strides that skip inputs
    {1, 1, {17, 13, 19}, {4, 5, 3}, {4, 1, 2}, {2, 2, 1}},
    {32, 3, {4, 4, 4}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    {5, 13, {3, 4, 5}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},  // a row of four vectors and one number
    {1, 1100, {2, 3, 3}, {1, 3, 2}, {1, 1, 1}, {0, 1, 1}},
    {3, 700, {1, 2, 3}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}},  // a row that the CPU divides into two pieces
};

/// Windows that extend past the end.
inline constexpr PoolGeometry kCeilGeometries[] = {
    {2, 8, {1, 27, 28}, {1, 3, 3}, {1, 2, 2}, {0, 0, 0}, {1, 1, 1}, true},  // SqueezeNet and GoogLeNet
    {3, 5, {6, 7, 8}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}, true},
    {1,
     2,
     {5, 5, 5},
     {2, 2, 3},
     {3, 2, 4},
     {1, 0, 1},
     {1, 1, 1},
     true},  // the last of the first axis left out
    {1, 3, {2, 1, 3}, {3, 2, 5}, {2, 3, 4}, {1, 1, 2}, {1, 1, 1}, true},  // larger than the input
    {7, 1, {1, 1, 17}, {1, 1, 4}, {1, 1, 5}, {0, 0, 1}, {1, 1, 1}, true},
};

/// Windows with gaps between their taps.
inline constexpr PoolGeometry kDilatedGeometries[] = {
    {2, 8, {1, 28, 28}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 2, 2}},
    {3, 5, {7, 9, 11}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, {3, 2, 4}},
    {1, 2, {5, 8, 9}, {2, 4, 3}, {1, 2, 3}, {0, 2, 1}, {3, 2, 3}},
    {1, 3, {5, 6, 7}, {2, 2, 3}, {3, 2, 2}, {1, 0, 1}, {2, 4, 3}, true},
    {6, 1, {1, 1, 31}, {1, 1, 5}, {1, 1, 4}, {0, 0, 2}, {1, 1, 6}, true},
    {5, 13, {3, 4, 5}, {2, 2, 2}, {2, 2, 2}, {0, 1, 1}, {2, 3, 4}},  // windows of two taps
};

}  // namespace umbra
