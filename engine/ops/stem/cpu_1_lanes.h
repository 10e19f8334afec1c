// The three parts of the rung cpu_1_lanes: patch statistics, forward and backward of one block of channels.
#pragma once

#include "engine/ops/stem/cpu_1_lanes_plan.h"

namespace umbra {

// ---- cpu_1_lanes_gram.cpp: mu and S of the patches, summed in double ----

struct StemGramSpace {
  StemChunk* chunks;  // [chunks]
  StemPair* pairs;    // [pairs]
  double* products;   // [kStemRowChunks][pairs][kStemTile][kStemWide]
  double* sums;       // [kStemRowChunks][chunks][kStemTaps][kStemWide]
};
/// mu [K], cov [K][K] of the boxes.
void stem_patch_statistics_lanes(const StemPlan& plan, const float* boxes, const StemGramSpace& space,
                                 double* mu, double* cov);

// ---- cpu_1_lanes_forward.cpp ----

/// y = relu((sign * z - mean) * scale + beta), pooled, for one group of samples and one block of channels,
/// pooled planes [begin, end).
struct StemForwardTask {
  const StemPlan* plan;
  const float* boxes;                // of the group
  const float* filters;              // of the block, times the sign of gamma
  const float *mean, *scale, *beta;  // [10], mean times the sign of gamma
  std::int64_t group, block;
  std::int64_t begin, end;
  float* y;              // [q][C][N], all of it
  std::uint8_t* winner;  // [q][C][N], or null
  bool tame;             // all outputs of the convolution are finite
  float* scratch;        // stem_forward_scratch() floats
};
std::int64_t stem_forward_scratch(const StemPlan& plan);
void stem_forward_block(const StemForwardTask& task);

// ---- cpu_1_lanes_backward.cpp ----

/// Sums of dz P and of dz of one group and block, over the outputs in planes [begin, end) of the convolution
/// and the pooled planes [sum_begin, sum_end).
struct StemBackwardTask {
  const StemPlan* plan;
  const StemChunk* chunks;
  const float* boxes;  // of the group
  std::int64_t group, block;
  std::int64_t begin, end;
  std::int64_t sum_begin, sum_end;
  const float* dy;             // [q][C][N], all of it
  const std::uint8_t* winner;  // [q][C][N]
  float* scratch;              // stem_backward_scratch() floats
  double* patches;             // [chunks][10][kStemTaps], sum of dz P
  double* sums;                // [10], sum of dz
};
std::int64_t stem_backward_scratch(const StemPlan& plan);
void stem_backward_block(const StemBackwardTask& task);

}  // namespace umbra
