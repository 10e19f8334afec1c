// Problem sizes that several ops share: those of the network of Nadler & To (2018) with 20 channels and 32
// boxes, and edge cases: zero, one, primes, and one more and one less than a vector (1 to 16 lanes) and
// than a chunk (2^14).
#pragma once

#include <cstdint>
#include <memory>

#include "engine/ops/op.h"
#include "engine/ops/shared/problems.h"

namespace umbra {

inline constexpr std::int64_t kCounts[] = {0,   1,    2,     3,     4,     5,     7,     8,     9,
                                           15,  16,   17,    31,    32,    33,    63,    64,    65,
                                           127, 1009, 16383, 16384, 16385, 32768, 98317, 327680};

struct ChannelShape {
  std::int64_t batch, channels, volume;
};
inline constexpr ChannelShape kChannelShapes[] = {
    {32, 20, 3375}, {32, 20, 512}, {32, 20, 64}, {32, 40, 8},  {32, 80, 1}, {32, 400, 1},
    {2, 1, 1},      {2, 3, 1},     {1, 1, 2},    {1, 2, 3},    {2, 3, 5},   {3, 7, 1},
    {5, 17, 7},     {3, 16, 15},   {3, 33, 16},  {2, 5, 17},   {7, 2, 31},  {2, 2, 33},
    {1, 1, 1009},   {17, 3, 63},   {5, 31, 1},   {4, 32, 1},   {3, 33, 1},  {9, 65, 1},
    {1, 2, 16411},  {40, 1, 700},  {6, 2, 8191}, {33, 1, 512}, {32, 3, 513}};

struct MatrixShape {
  std::int64_t rows, columns;
};
inline constexpr MatrixShape kMatrixShapes[] = {
    {32, 14}, {1, 14},  {1, 1},   {1, 2},    {2, 1},     {3, 7},     {5, 16},   {7, 17},
    {31, 15}, {33, 33}, {64, 10}, {257, 14}, {32, 1000}, {1171, 14}, {3, 4099}, {5001, 1}};

/// One problem per element of kCounts; `more` are the constructor's further arguments.
template <class O, class... More>
Problems problems_of_counts(DType dtype, const More&... more) {
  Problems problems;
  for (std::int64_t count : kCounts) problems.push_back(std::make_unique<O>(dtype, count, more...));
  return problems;
}

template <class O, class... More>
Problems problems_of_channels(DType dtype, const More&... more) {
  Problems problems;
  for (const ChannelShape& s : kChannelShapes) {
    problems.push_back(std::make_unique<O>(dtype, s.batch, s.channels, s.volume, more...));
  }
  return problems;
}

template <class O, class... More>
Problems problems_of_matrices(DType dtype, const More&... more) {
  Problems problems;
  for (const MatrixShape& s : kMatrixShapes) {
    problems.push_back(std::make_unique<O>(dtype, s.rows, s.columns, more...));
  }
  return problems;
}

}  // namespace umbra
