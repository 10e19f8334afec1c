#include "engine/train/checkpointer.h"

#include <cmath>

namespace umbra {
namespace {

// Queues the copies. The memory of earlier ones is used again.
void copy_all(const std::vector<NamedTensor>& tensors, std::vector<NamedTensor>& copies,
              const Stream& stream) {
  if (copies.empty()) {
    for (const auto& [name, tensor] : tensors)
      copies.push_back(
          {name, allocate_tensor(tensor.device(), tensor.shape(), tensor.dtype(), tensor.layout())});
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) copy(tensors[i].tensor, copies[i].tensor, stream);
}

}  // namespace

Checkpointer::Checkpointer(std::filesystem::path run, const Stream& stream, const Module& network,
                           const Optimizer& optimizer, CheckpointInfo info, std::int64_t every,
                           std::function<bool()> stop, const DataParallel* parallel)
    : run_(std::move(run)),
      stream_(stream),
      network_(network),
      optimizer_(optimizer),
      info_(std::move(info)),
      every_(every),
      stop_(std::move(stop)),
      parallel_(parallel),
      copied_(stream.device()) {}

void Checkpointer::compare(std::vector<NamedTensor> model, const std::vector<NamedTensor>& optimizer) const {
  if (parallel_ == nullptr) return;
  model.insert(model.end(), optimizer.begin(), optimizer.end());
  parallel_->compare(info_.step, model);
}

void Checkpointer::write(const CheckpointInfo& info, bool better) const {
  copied_.wait();
  if (better) write_checkpoint(run_ / "best.h5", info, model_copy_, {});
  write_checkpoint(run_ / "last.h5", info, model_copy_, moments_copy_);
}

void Checkpointer::on_step(const Report&) {
  if (writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    writing_.get();
}

void Checkpointer::on_validation(const Report& report) {
  if (info_.has_best && !std::isnan(info_.best_metric) && !(report.metric < info_.best_metric)) return;
  better_ = info_.has_best = true;
  info_.best_metric = report.metric;
  info_.best_step = report.step;
}

void Checkpointer::on_step_done(const Report& report, bool epoch_end) {
  if (!epoch_end && !wants_state(report.step) && !stop_()) return;
  info_.step = report.step;
  info_.optimizer_steps = optimizer_.steps();
  const std::vector<NamedTensor> model = network_.state(), moments = optimizer_.state();
  compare(model, moments);
  const bool better = std::exchange(better_, false);
  if (parallel_ != nullptr && !parallel_->world().first()) return;
  on_end();
  copy_all(model, model_copy_, stream_);
  copy_all(moments, moments_copy_, stream_);
  copied_.record(stream_);
  writing_ = std::async(std::launch::async, [this, info = info_, better] { write(info, better); });
}

void Checkpointer::on_end() {
  if (writing_.valid()) writing_.get();
}

}  // namespace umbra
