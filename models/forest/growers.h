// Growers side by side, handed out one per task, each with the memory to draw its rows.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "models/forest/grower.h"

namespace umbra {

class Growers {
 public:
  struct Worker {
    std::unique_ptr<TreeGrower> grower;
    std::vector<std::uint8_t> counts;  // [rows]
  };

  Growers(const GrowthData& data, const ForestOptions& options, std::size_t rows)
      : data_(data), options_(options), rows_(rows) {}

  Worker take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {data_.make_grower(options_), std::vector<std::uint8_t>(rows_)};
    Worker worker = std::move(free_.back());
    free_.pop_back();
    return worker;
  }
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

/// `data` with its mask the rows that count. Throws Error when there is nothing to learn from or an option is
/// impossible, as fit_forest() says.
void check_fit(const ForestData& data, const ForestOptions& options);

/// Data prepared for options.search.
std::unique_ptr<GrowthData> make_growth(const ForestData& data, ForestOptions::Search search);

}  // namespace umbra
