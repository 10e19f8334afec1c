// Convolutions on tensor cores with a chosen shape of tiles and size of clusters, as functions of the host, for
// planned_test.cpp: by their own plans, small problems have few of them. All pointers are to device memory.
#pragma once

#include "engine/base/precision.h"
#include "engine/ops/conv/geometry.h"

namespace umbra::cuda_test {

enum class Pass { kFprop, kDgrad, kWgrad };
inline constexpr int kShapes = 6;  // of TensorShape

struct PlannedCase {
  ConvGeometry geometry;
  Pass pass;
  Precision precision;
  int shape;    // a number of TensorShape
  int size;     // blocks of a cluster of cuda_7_cluster; 0: cuda_6_specialised
  int at_once;  // clusters that the plan is made for: with few of them, a cluster has several tiles
  int parts;    // of every tile, in cuda_6_specialised
};
/// Bytes that the case needs besides its operands.
std::size_t workspace_of(const PlannedCase& planned);

/// result = the pass' sums of x and w, dy and w, or x and dy. Returns the most tiles in one of the clusters; 0, and
/// runs nothing, if the problem cannot be divided like that.
int run(const PlannedCase& planned, const void* one, const void* two, float* result, void* workspace);

}  // namespace umbra::cuda_test
