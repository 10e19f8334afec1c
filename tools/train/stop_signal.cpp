#include "tools/train/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "tools/common/tool.h"

namespace umbra {
namespace {

std::atomic<int> first_signal{0};
std::atomic<std::int64_t> stopped_at{0};  // milliseconds
std::atomic<bool> on_terminal{false};

// In place of the progress line; one write, because another thread may draw that line meanwhile.
constexpr std::string_view kStopping =
    "\r\033[Jstopping after this step; the same signal again stops at once\n";

void on_signal(int signal) {
  constexpr std::int64_t kTogether = 1000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t milliseconds = std::int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
  if (first_signal == 0) {
    stopped_at = milliseconds;
    first_signal = signal;
    if (on_terminal) {
      const int error = errno;  // of what the signal interrupts
      const ssize_t ignored = ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
      static_cast<void>(ignored);
      errno = error;
    }
  } else if (milliseconds - stopped_at > kTogether) {
    stop_at_once(signal);
  }
}

}  // namespace

void listen_for_stop_signals() {
  on_terminal = ::isatty(STDERR_FILENO) != 0;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

int stop_signal() {
  return first_signal;
}

}  // namespace umbra
