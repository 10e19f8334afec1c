// The timing of plans in a search.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "engine/runtime/storage.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// This thread's current device; if there is none, the first, on which every call then fails.
inline Device current_gpu() {
  int index = 0;
  return {Device::Kind::kCuda, cudaGetDevice(&index) == cudaSuccess ? index : 0};
}

/// Seconds of one `launch` (which queues work in `stream`, and throws Error if the library fails): the best
/// of three graphs with enough launches that the host's time is negligible. If a launch takes more than four
/// times `best`, returns the first measurement. Throws Error on any failure, including work that cannot be
/// captured.
inline double seconds_per_launch(Stream& stream, double best, const std::function<void()>& launch) {
  constexpr double kEnough = 300e-6;
  const Event start(stream.device()), end(stream.device());
  const auto timed = [&](const auto& work) {
    start.record(stream);
    work();
    end.record(stream);
    stream.synchronize();
    const std::string error = backend_of(stream.device().kind).launch_error(stream.device().index);
    require(error.empty(), error);
    return seconds_between(start, end);
  };
  timed(launch);  // loads the kernels
  const double first = timed(launch);
  if (first > 4 * best && first > 2 * kEnough) return first;
  const int launches = static_cast<int>(std::clamp(kEnough / first, 1.0, 20.0));
  const Graph graph(stream, [&] {
    for (int i = 0; i < launches; ++i) launch();
  });
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i)
    least = std::min(least, timed([&] { graph.launch(stream); }) / static_cast<double>(launches));
  return least;
}

/// Device memory that grows as requested; every plan that is tried may overwrite it.
class Scratch {
 public:
  explicit Scratch(Device device) : device_(device) {}
  /// At least `bytes`; throws Error if the device does not have as much.
  void* of(std::size_t bytes) {
    if (storage_ == nullptr || storage_->bytes() < bytes) {
      storage_.reset();  // released first: the device may not have memory for both
      storage_ = allocate_storage(device_, bytes);
    }
    return storage_->data();
  }

 private:
  Device device_;
  std::shared_ptr<Storage> storage_;
};

/// The maximum workspace of a plan.
inline constexpr std::size_t kMostPeerWorkspace = std::size_t{2} << 30;
/// A search ends after this time (UMBRA_PEER_SECONDS) with the best plan so far; the libraries propose the
/// likeliest plans first.
inline double search_seconds() {
  const char* const wanted = std::getenv("UMBRA_PEER_SECONDS");
  return wanted == nullptr ? 6.0 : std::atof(wanted);
}

}  // namespace umbra
