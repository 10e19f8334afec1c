// Index arithmetic of the CUDA rung cuda_2_lanes, for kernels and tests.
#pragma once

namespace umbra {

/// Pieces of length `step` that cover `count`.
constexpr int stem_tiles(int count, int step) {
  return (count + step - 1) / step;
}

// The sums of products of the numbers of a patch, of which the last is 1: tiles of eight by eight numbers, as
// tensor cores compute them, for pairs of eights (a, b) with a <= b.
inline constexpr int kStemTileSums = 64;

/// Number of the pair (a, b), a <= b, of `count` eights.
constexpr int stem_pair(int a, int b, int count) {
  return a * (2 * count - a + 1) / 2 + b - a;
}
/// The index of the sum of products of numbers k and l, k <= l, of a patch of `patch` numbers and a 1.
constexpr int stem_product_slot(int k, int l, int patch) {
  return stem_pair(k / 8, l / 8, stem_tiles(patch + 1, 8)) * kStemTileSums + k % 8 * 8 + l % 8;
}
/// The index of the sum of number k.
constexpr int stem_sum_slot(int k, int patch) {
  return stem_product_slot(k, patch, patch);
}

}  // namespace umbra
