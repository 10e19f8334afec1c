// What lessons do with tables of numbers, in double precision: statistics, folds, tensors of the engine and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "engine/nn/module.h"
#include "tools/learn/common/lesson.h"

namespace umbra::learn {

using Numbers = std::vector<double>;
using Rows = std::vector<Numbers>;

/// The mean and the standard deviation (of N values, not N - 1) of every column of rows [N, K].
inline Rows mean_and_deviation(const Rows& rows) {
  const auto n = static_cast<double>(rows.size());
  Numbers mean(rows[0].size()), deviation(rows[0].size());
  for (std::size_t j = 0; j < mean.size(); ++j) {
    for (const Numbers& row : rows) mean[j] += row[j] / n;
    for (const Numbers& row : rows) deviation[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / n;
    deviation[j] = std::sqrt(deviation[j]);
  }
  return {mean, deviation};
}

/// The rows with every column minus its mean, divided by its deviation.
inline Rows standardised(Rows rows, const Rows& statistics) {
  for (Numbers& row : rows) {
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = (row[j] - statistics[0][j]) / statistics[1][j];
  }
  return rows;
}

/// The fold, 0 … folds - 1, of every sample: each class is shuffled and dealt out, so that its members are
/// spread evenly over the folds.
inline std::vector<int> stratified_folds(const std::vector<int>& classes, int folds, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kPermutation);
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return classes[i] + rng.uniform(i); });
  std::vector<int> fold(classes.size());
  for (std::size_t i = 0; i < order.size(); ++i) fold[order[i]] = static_cast<int>(i) % folds;
  return fold;
}

/// 0, 1, …, count - 1, for the axis of a figure.
inline Numbers counted(std::size_t count) {
  Numbers numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// Rows of equal length as an f64 tensor [N, K].
inline Tensor tensor_of(Context& context, const Rows& rows) {
  Numbers flat;
  for (const Numbers& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  const auto n = static_cast<std::int64_t>(rows.size()), columns = static_cast<std::int64_t>(rows[0].size());
  const Tensor tensor = allocate_tensor(context.device(), {n, columns}, DType::kF64);
  from_host(flat, tensor, context.stream);
  return tensor;
}

/// Numbers as an f64 tensor [N].
inline Tensor tensor_of(Context& context, const Numbers& numbers) {
  return tensor_of(context, Rows{numbers}).reshaped({static_cast<std::int64_t>(numbers.size())});
}

/// Labels as an i32 tensor [N].
inline Tensor tensor_of(Context& context, const std::vector<int>& labels) {
  const auto n = static_cast<std::int64_t>(labels.size());
  const Tensor tensor = allocate_tensor(context.device(), {n}, DType::kI32);
  from_host(Numbers(labels.begin(), labels.end()), tensor, context.stream);
  return tensor;
}

/// Labels as numbers: an f64 tensor [N, 1].
inline Tensor column_of(Context& context, const std::vector<int>& labels) {
  return tensor_of(context, Numbers(labels.begin(), labels.end()))
      .reshaped({static_cast<std::int64_t>(labels.size()), 1});
}

/// The rows of a tensor [N, K].
inline Rows rows_of(Context& context, const Tensor& tensor) {
  const Numbers flat = to_host(tensor, context.stream);
  const std::int64_t columns = tensor.shape()[1];
  Rows rows;
  for (auto at = flat.begin(); at != flat.end(); at += columns) rows.emplace_back(at, at + columns);
  return rows;
}

/// Records the values of parameters as "name/fc1.weight" and so on.
inline void record(Lesson& lesson, const std::string& name, Context& context,
                   const std::vector<Parameter>& parameters) {
  for (const Parameter& parameter : parameters) {
    const auto extents = parameter.value().shape().extents();
    lesson.record(name + "/" + parameter.name, to_host(parameter.value(), context.stream),
                  {extents.begin(), extents.end()});
  }
}

}  // namespace umbra::learn
