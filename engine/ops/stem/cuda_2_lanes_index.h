// Index arithmetic of the CUDA rung cuda_2_lanes, for kernels and tests.
#pragma once

namespace umbra {

/// Pieces of length `step` that cover `count`.
constexpr int stem_tiles(int count, int step) {
  return (count + step - 1) / step;
}

/// The i-th of `count` planes, from the middle outwards: planes at the ends have little work and come last.
constexpr int from_the_middle(int i, int count) {
  return i % 2 == 1 ? (count - 1) / 2 + (i + 1) / 2 : (count - 1) / 2 - i / 2;
}

// Chunk: the three taps of one row of the filter and one input channel. Sums are computed for pairs of
// chunks.
inline constexpr int kStemChunkTaps = 3;
inline constexpr int kStemPairSums = 16;  // nine products, three sums of a chunk with itself, and zeros

/// Number of the pair (a, b), a <= b, of `count` chunks.
constexpr int stem_pair(int a, int b, int count) {
  return a * (2 * count - a + 1) / 2 + b - a;
}
/// The chunk of number k of a patch, and the index of k among its taps.
constexpr int stem_chunk(int k, int in_channels) {
  return k / (kStemChunkTaps * in_channels) * in_channels + k % in_channels;
}
constexpr int stem_chunk_tap(int k, int in_channels) {
  return k / in_channels % kStemChunkTaps;
}
/// The index of the sum of products of numbers k and l.
constexpr int stem_product_slot(int k, int l, int in_channels, int chunks) {
  const int a = stem_chunk(k, in_channels), b = stem_chunk(l, in_channels);
  const int i = stem_chunk_tap(k, in_channels), j = stem_chunk_tap(l, in_channels);
  return a <= b ? stem_pair(a, b, chunks) * kStemPairSums + i * kStemChunkTaps + j
                : stem_pair(b, a, chunks) * kStemPairSums + j * kStemChunkTaps + i;
}
/// The index of the sum of number k.
constexpr int stem_sum_slot(int k, int in_channels, int chunks) {
  const int a = stem_chunk(k, in_channels);
  return stem_pair(a, a, chunks) * kStemPairSums + kStemChunkTaps * kStemChunkTaps +
         stem_chunk_tap(k, in_channels);
}

}  // namespace umbra
