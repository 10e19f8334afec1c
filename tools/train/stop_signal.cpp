#include "tools/train/stop_signal.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "tools/common/tool.h"

namespace umbra {
namespace {

std::atomic<int> first_signal{0};
std::atomic<std::int64_t> stopped_at{0};  // milliseconds

void on_signal(int signal) {
  constexpr std::int64_t kTogether = 1000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t milliseconds = std::int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
  if (first_signal == 0) {
    stopped_at = milliseconds;
    first_signal = signal;
  } else if (milliseconds - stopped_at > kTogether) {
    stop_at_once(signal);
  }
}

}  // namespace

void listen_for_stop_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

int stop_signal() {
  return first_signal;
}

}  // namespace umbra
