#include "engine/train/checkpointer.h"

#include <cmath>

namespace umbra {

Checkpointer::Checkpointer(std::filesystem::path run, const Module& network, const Optimizer& optimizer,
                           CheckpointInfo info, std::int64_t every, std::function<bool()> stop,
                           const DataParallel* parallel)
    : run_(std::move(run)),
      network_(network),
      optimizer_(optimizer),
      info_(std::move(info)),
      every_(every),
      stop_(std::move(stop)),
      parallel_(parallel) {}

void Checkpointer::compare(const std::vector<NamedTensor>& optimizer) const {
  if (parallel_ == nullptr) return;
  std::vector<NamedTensor> all = network_.state();
  all.insert(all.end(), optimizer.begin(), optimizer.end());
  parallel_->compare(info_.step, all);
}

void Checkpointer::write(const char* name, const std::vector<NamedTensor>& optimizer) const {
  compare(optimizer);
  if (parallel_ != nullptr && !parallel_->world().first()) return;
  write_checkpoint(run_ / name, info_, network_.state(), optimizer);
}

void Checkpointer::on_validation(const Report& report) {
  const bool better = !info_.has_best || std::isnan(info_.best_metric) || report.metric < info_.best_metric;
  if (!better) return;
  info_.has_best = true;
  info_.best_metric = report.metric;
  info_.step = info_.best_step = report.step;
  info_.optimizer_steps = optimizer_.steps();
  write("best.h5", {});
}

void Checkpointer::on_step_done(const Report& report, bool epoch_end) {
  if (!epoch_end && !wants_state(report.step) && !stop_()) return;
  info_.step = report.step;
  info_.optimizer_steps = optimizer_.steps();
  write("last.h5", optimizer_.state());
}

}  // namespace umbra
