#include "engine/train/progress.h"

#include <algorithm>
#include <limits>

namespace umbra {
namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();  // the width of a line that stays

}  // namespace

Progress::Progress(std::FILE* out, std::int64_t epochs, std::int64_t steps_per_epoch, std::int64_t first_step,
                   std::string metric, std::string unit)
    : line_(out),
      epochs_(epochs),
      steps_per_epoch_(steps_per_epoch),
      first_step_(first_step),
      metric_(std::move(metric)),
      unit_(std::move(unit)),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (!unprinted_.empty()) line_.print(unprinted_);
}

std::string Progress::text(const Report& report, std::size_t width) const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const auto done = static_cast<double>(report.step - first_step_);
  const auto left = static_cast<double>(epochs_ * steps_per_epoch_ - report.step);
  const std::int64_t in_epoch = report.step - report.epoch * steps_per_epoch_;
  return fitting_parts(
      {{format("epoch %ld/%ld", static_cast<long>(report.epoch + 1), static_cast<long>(epochs_)), 0},
       {line_.on_terminal() ? progress_bar(in_epoch, steps_per_epoch_, bar_length(width)) : "", 1},
       {format("loss %.4g", epoch_loss_ / epoch_samples_), 2},
       {format("%s %.4g", metric_.c_str(), epoch_metric_ / epoch_samples_), 7},
       {validated_ ? format("validation %.4g", validation_) : "", 3},
       {format("lr %.3g", report.learning_rate), 6},
       {format("%.0f %s/s", static_cast<double>(samples_) / elapsed, unit_.c_str()), 5},
       {"left " + clock_text(elapsed / std::max(1.0, done) * left), 4}},
      width);
}

void Progress::on_step(const Report& report) {
  samples_ += report.samples;
  epoch_loss_ += report.loss * static_cast<double>(report.samples);
  epoch_metric_ += report.metric * static_cast<double>(report.samples);
  epoch_samples_ += static_cast<double>(report.samples);
  if (line_.due()) line_.draw(text(report, line_.width()));
}

void Progress::on_validation(const Report& report) {
  validation_ = report.metric;
  validated_ = true;
}

void Progress::on_step_done(const Report& report, bool epoch_end) {
  if (!epoch_end) return;
  unprinted_ = text(report, kWhole);
  if (!line_.on_terminal() || report.epoch + 1 == epochs_) {
    line_.print(unprinted_);
    unprinted_.clear();
  } else {
    line_.draw(text(report, line_.width()));
  }
  epoch_loss_ = epoch_metric_ = epoch_samples_ = 0;
}

}  // namespace umbra
