// MetricsLog: RUN/metrics.csv, one row per training step and one per validation pass:
//   epoch,step,split,loss,chi2,lr,grad_norm,seconds     (for chi2 the name of the run's own metric)
// A resumed run first drops the rows behind its checkpoint, so that the file reads as if nothing had
// happened.
#pragma once

#include <filesystem>
#include <fstream>

#include "engine/train/trainer.h"

namespace umbra {

class MetricsLog final : public Observer {
 public:
  /// Keeps the rows of `path` up to `first_step` (none: a new file). Throws Error when the file cannot be
  /// written.
  MetricsLog(const std::filesystem::path& path, std::int64_t first_step, const std::string& metric);
  void on_step(const Report& report) override { row(report, "train"); }
  void on_validation(const Report& report) override { row(report, "validation"); }
  void on_step_done(const Report& report,
                    bool epoch_end) override;  // a checkpoint may follow: every row is on the file first

 private:
  void row(const Report& report, const char* split);

  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace umbra
