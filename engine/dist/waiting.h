// What the files of the communicator's thread share: clocks and pauses.
#pragma once

#include <chrono>

namespace umbra {

/// The clock of time-outs.
using Clock = std::chrono::steady_clock;
/// Between two looks at what has arrived.
inline constexpr auto kPause = std::chrono::microseconds(50);

/// Seconds that have passed since `start`.
inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace umbra
