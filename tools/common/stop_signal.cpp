#include "tools/common/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>

#include "engine/base/error.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

std::atomic<int> first_signal{0};
std::atomic<std::int64_t> stopped_at{0};  // milliseconds
std::atomic<bool> on_terminal{false};

// In place of the progress line; one write, because another thread may draw that line meanwhile.
std::string note;

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
      const ssize_t ignored = ::write(STDERR_FILENO, note.data(), note.size());
      static_cast<void>(ignored);
      errno = error;
    }
  } else if (milliseconds - stopped_at > kTogether) {
    stop_at_once(signal);
  }
}

}  // namespace

void listen_for_stop_signals(const char* what) {
  if (note.empty())  // of the first call: a signal may come during a later one
    note = concat("\r\033[Jstopping ", what, "; the same signal again stops at once\n");
  on_terminal = ::isatty(STDERR_FILENO) != 0;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

int stop_signal() {
  return first_signal;
}

}  // namespace umbra
