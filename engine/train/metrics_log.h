// MetricsLog: writes RUN/metrics.csv, one row per training step and one per validation pass:
//   epoch,step,split,loss,chi2,lr,grad_norm,seconds     (chi2 is replaced by the name of the run's metric)
// A resumed run first removes the rows after its checkpoint, so that the file has no trace of the
// interruption.
#pragma once

#include <filesystem>
#include <fstream>

#include "engine/train/trainer.h"

namespace umbra {

/// Writes a table of losses and metrics while a Trainer runs.
class MetricsLog final : public Observer {
 public:
  /// Keeps the rows of `path` up to step `first_step`; 0 starts a new file. `metric` is the name of the
  /// metric's column. Throws Error when the file cannot be written, or is not such a table.
  MetricsLog(const std::filesystem::path& path, std::int64_t first_step, const std::string& metric);
  /// Adds a row with split "train".
  void on_step(const Report& report) override { row(report, "train"); }
  /// Adds a row with split "validation".
  void on_validation(const Report& report) override { row(report, "validation"); }
  /// Flushes all rows to the file, because a checkpoint may follow. Throws Error when that fails.
  void on_step_done(const Report& report, bool epoch_end) override;

 private:
  void row(const Report& report, const char* split);

  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace umbra
