// Progress: what a person sees while a network trains. On a terminal one line that is redrawn, elsewhere one
// line per epoch.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "engine/train/trainer.h"

namespace umbra {

class Progress final : public Observer {
 public:
  /// `metric` and `unit` are words for the line ("chi2", "boxes"); first_step is where this process starts.
  Progress(std::FILE* out, std::int64_t epochs, std::int64_t steps_per_epoch, std::int64_t first_step,
           std::string metric, std::string unit);
  void on_step(const Report& report) override;
  void on_validation(const Report& report) override;
  void on_step_done(const Report& report, bool epoch_end) override;

 private:
  std::string line(const Report& report) const;

  std::FILE* out_;
  bool terminal_;
  std::int64_t epochs_, steps_per_epoch_, first_step_;
  std::string metric_, unit_;
  std::chrono::steady_clock::time_point start_, drawn_;
  std::int64_t samples_ = 0;                                      // since the start of this process
  double epoch_loss_ = 0, epoch_metric_ = 0, epoch_samples_ = 0;  // sums over this epoch
  double validation_ = 0;
  bool validated_ = false;
};

}  // namespace umbra
