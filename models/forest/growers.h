// A pool of growers for parallel tasks, each with the memory to draw its rows.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "models/forest/grower.h"

namespace umbra {

/// A thread-safe pool of growers.
class Growers {
 public:
  /// A grower and its memory.
  struct Worker {
    std::unique_ptr<TreeGrower> grower;  ///< never null
    std::vector<std::uint8_t> counts;    ///< [rows]
  };

  /// `data` must outlive it.
  Growers(const GrowthData& data, const ForestOptions& options, std::size_t rows)
      : data_(data), options_(options), rows_(rows) {}

  /// A free worker, or a new one.
  Worker take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {data_.make_grower(options_), std::vector<std::uint8_t>(rows_)};
    Worker worker = std::move(free_.back());
    free_.pop_back();
    return worker;
  }
  /// Returns a worker to the pool.
  void give_back(Worker worker) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(worker));
  }

 private:
  const GrowthData& data_;
  ForestOptions options_;
  std::size_t rows_;
  std::mutex mutex_;
  std::vector<Worker> free_;
};

/// Throws Error when an option is out of range or the data cannot be used, as described at fit_forest().
void check_fit(const ForestData& data, const ForestOptions& options);

/// Data prepared for this search.
std::unique_ptr<GrowthData> make_growth(const ForestData& data, ForestOptions::Search search);

}  // namespace umbra
