#include "engine/train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  return s >= 3600 ? format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60)
                   : format("%ld:%02ld", s / 60, s % 60);
}

constexpr int kBarWidth = 20;
constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

Progress::Progress(std::FILE* out, std::int64_t epochs, std::int64_t steps_per_epoch, std::int64_t first_step,
                   std::string metric, std::string unit)
    : out_(out),
      terminal_(isatty(fileno(out)) != 0),
      epochs_(epochs),
      steps_per_epoch_(steps_per_epoch),
      first_step_(first_step),
      metric_(std::move(metric)),
      unit_(std::move(unit)),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_ - kRedraw) {}

std::string Progress::line(const Report& report) const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const auto done = static_cast<double>(report.step - first_step_);
  const auto left = static_cast<double>(epochs_ * steps_per_epoch_ - report.step);
  std::string text =
      format("epoch %ld/%ld  ", static_cast<long>(report.epoch + 1), static_cast<long>(epochs_));
  if (terminal_) {
    const std::int64_t in_epoch = report.step - report.epoch * steps_per_epoch_;
    const auto filled = static_cast<std::size_t>(kBarWidth * in_epoch / steps_per_epoch_);
    text += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]  ";
  }
  text += format("loss %.4g  %s %.4g  ", epoch_loss_ / epoch_samples_, metric_.c_str(),
                 epoch_metric_ / epoch_samples_);
  if (validated_) text += format("validation %.4g  ", validation_);
  text += format("lr %.3g  %.0f %s/s  left %s", report.learning_rate, static_cast<double>(samples_) / elapsed,
                 unit_.c_str(), clock_text(elapsed / std::max(1.0, done) * left).c_str());
  return text;
}

void Progress::on_step(const Report& report) {
  samples_ += report.samples;
  epoch_loss_ += report.loss * static_cast<double>(report.samples);
  epoch_metric_ += report.metric * static_cast<double>(report.samples);
  epoch_samples_ += static_cast<double>(report.samples);
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - drawn_ < kRedraw) return;
  drawn_ = now;
  std::fprintf(out_, "\r%s\033[K", line(report).c_str());
  std::fflush(out_);
}

void Progress::on_validation(const Report& report) {
  validation_ = report.metric;
  validated_ = true;
}

void Progress::on_step_done(const Report& report, bool epoch_end) {
  if (!epoch_end) return;
  const bool last = report.epoch + 1 == epochs_;
  if (terminal_) {
    std::fprintf(out_, "\r%s\033[K%s", line(report).c_str(), last ? "\n" : "");
  } else {
    std::fprintf(out_, "%s\n", line(report).c_str());
  }
  std::fflush(out_);
  epoch_loss_ = epoch_metric_ = epoch_samples_ = 0;
}

}  // namespace umbra
