#include "engine/train/checkpointer.h"

#include <cmath>

namespace umbra {
namespace {

// Memory for a copy of these.
std::vector<NamedTensor> allocate_like(const std::vector<NamedTensor>& tensors) {
  std::vector<NamedTensor> copies;
  for (const auto& [name, tensor] : tensors)
    copies.push_back(
        {name, allocate_tensor(tensor.device(), tensor.shape(), tensor.dtype(), tensor.layout())});
  return copies;
}

// Queues the copies.
void copy_all(const std::vector<NamedTensor>& tensors, std::vector<NamedTensor>& copies,
              const Stream& stream) {
  for (std::size_t i = 0; i < tensors.size(); ++i) copy(tensors[i].tensor, copies[i].tensor, stream);
}

// best.h5, or the file that a link of this name leads to.
std::filesystem::path best_file(const std::filesystem::path& run) {
  return std::filesystem::weakly_canonical(run / "best.h5");
}

void replace_best(const std::filesystem::path& run) {
  std::error_code problem;
  std::filesystem::rename(next_best(run), best_file(run), problem);
  require(!problem, (run / "best.h5").string(),
          ": cannot be replaced by the better network: ", problem.message());
}

// Whether the better network is the best one up to last.h5.
bool is_known(const std::filesystem::path& run, const CheckpointInfo& last) {
  return std::filesystem::exists(next_best(run)) && last.has_best &&
         read_checkpoint_info(next_best(run)).step == last.best_step;
}

// Training from last.h5 finds a better network that last.h5 does not know of again.
void settle_best(const std::filesystem::path& run, const CheckpointInfo& last) {
  if (is_known(run, last)) {
    replace_best(run);
  } else {
    std::error_code problem;
    std::filesystem::remove(next_best(run), problem);
    require(!problem, next_best(run).string(), ": cannot be removed: ", problem.message());
  }
}

}  // namespace

std::filesystem::path next_best(const std::filesystem::path& run) {
  return best_file(run) += ".next";
}

bool has_best(const std::filesystem::path& run, const CheckpointInfo& last) {
  return std::filesystem::exists(run / "best.h5") || is_known(run, last);
}

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
      writes_(parallel == nullptr || parallel->world().first()),
      reached_(info_.step),
      last_(info_.step),
      one_{{}, {}, Event(stream.device())},
      other_{{}, {}, Event(stream.device())} {
  if (!writes_) return;
  settle_best(run_, info_);
  for (Snapshot* snapshot : {&one_, &other_}) {
    snapshot->model = allocate_like(network.state());
    snapshot->moments = allocate_like(optimizer.state());
  }
}

Checkpointer::~Checkpointer() {
  try {
    finish();
  } catch (const std::exception&) {  // training has ended with another error, which is reported
  }
}

void Checkpointer::compare(std::vector<NamedTensor> model, const std::vector<NamedTensor>& optimizer) const {
  if (parallel_ == nullptr) return;
  model.insert(model.end(), optimizer.begin(), optimizer.end());
  parallel_->compare(info_.step, model);
}

void Checkpointer::reach(std::int64_t step) {
  info_.step = step;
  info_.optimizer_steps = optimizer_.steps();
}

void Checkpointer::take(Snapshot& snapshot, bool better) {
  copy_all(network_.state(), snapshot.model, stream_);
  copy_all(optimizer_.state(), snapshot.moments, stream_);
  snapshot.copied.record(stream_);
  snapshot.info = info_;
  snapshot.better = better;
  last_ = info_.step;
}

void Checkpointer::write(const Snapshot& snapshot) const {
  snapshot.copied.wait();
  if (snapshot.better) write_checkpoint(next_best(run_), snapshot.info, snapshot.model, {});
  write_checkpoint(run_ / "last.h5", snapshot.info, snapshot.model, snapshot.moments);
  if (snapshot.better) replace_best(run_);
}

void Checkpointer::start(const Snapshot& snapshot) {
  written_ = &snapshot;
  writing_ = std::async(std::launch::async, [this, &snapshot] { write(snapshot); });
}

// Whether a file is being written. If none is, what waits is started.
bool Checkpointer::is_writing() {
  if (writing_.valid()) {
    if (writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return true;
    writing_.get();
  }
  if (waiting_ == nullptr) return false;
  start(*std::exchange(waiting_, nullptr));
  return true;
}

void Checkpointer::finish() {
  while (is_writing()) writing_.wait();
}

void Checkpointer::on_step(const Report&) {
  is_writing();
}

void Checkpointer::on_validation(const Report& report) {
  if (info_.has_best && !std::isnan(info_.best_metric) && !(report.metric < info_.best_metric)) return;
  better_ = info_.has_best = true;
  info_.best_metric = report.metric;
  info_.best_step = report.step;
}

void Checkpointer::on_step_done(const Report& report, bool epoch_end) {
  const bool busy = is_writing();
  reached_ = report.step;
  if (!epoch_end && !wants_state(report.step) && !stop_()) return;
  reach(report.step);
  compare();
  const bool better = std::exchange(better_, false);
  if (!writes_) return;
  if (!busy) {
    take(one_, better);
    start(one_);
  } else if (better) {
    waiting_ = written_ == &one_ ? &other_ : &one_;
    take(*waiting_, better);
  }
}

void Checkpointer::on_end() {
  finish();
  if (last_ == reached_) return;
  reach(reached_);
  if (!writes_) return;
  take(one_, false);
  start(one_);
  finish();
}

}  // namespace umbra
