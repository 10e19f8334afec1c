#include "engine/runtime/backend.h"

#include <charconv>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
#include "engine/runtime/graph.h"
#include "engine/runtime/queue_mark.h"
#include "engine/runtime/stream.h"

namespace umbra {

const Backend& backend_of(Device::Kind kind) {
  return kind == Device::Kind::kCpu ? cpu_backend() : cuda_backend();
}

Device parse_device(const std::string& text, int process) {
  if (text == "cpu") return {};
  const int gpus = cuda_backend().device_count();
  if (text == "auto") return gpus > 0 ? parse_device("cuda", process) : Device{};
  if (text != "cuda" && !text.starts_with("cuda:")) {
    const std::string meant =
        lower_case(text).starts_with("gpu") ? "cuda" : nearest_word(text, {"auto", "cpu", "cuda"});
    fail("device=", text, ": expected auto, cpu, cuda or cuda:N",
         did_you_mean(meant.empty() ? "" : "device=" + meant));
  }
  int index = gpus > 0 ? process % gpus : 0;
  if (text != "cuda") {
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + 5, end, index);
    require(status == std::errc{} && stop == end && index >= 0, "device=", text,
            ": expected a number after cuda:");
  }
  require(gpus > 0, "device=", text, ": ", cuda_backend().why_none());
  require(index < gpus, "device=", text, ": this machine has ", gpus, " usable CUDA devices");
  return {Device::Kind::kCuda, index};
}

Stream::Stream(Device device)
    : device_(device), native_(backend_of(device.kind).create_queue(device.index)) {}
Stream::~Stream() {
  backend_of(device_.kind).destroy_queue(device_.index, native_);
}
void Stream::synchronize() const {
  backend_of(device_.kind).synchronize(device_.index, native_);
}

Event::Event(Device device) : device_(device), native_(backend_of(device.kind).create_event(device.index)) {}
Event::~Event() {
  backend_of(device_.kind).destroy_event(device_.index, native_);
}
void Event::record(const Stream& stream) const {
  backend_of(device_.kind).record(device_.index, native_, stream.native());
}
void Event::wait() const {  // may be the first call of a thread, whose device would be the first one
  backend_of(device_.kind).select(device_.index);
  backend_of(device_.kind).wait(device_.index, native_);
}
double seconds_between(const Event& from, const Event& to) {
  return backend_of(from.device_.kind).seconds(from.device_.index, from.native_, to.native_);
}

QueueMark::QueueMark(const Stream& stream)
    : device_(stream.device()), native_(backend_of(device_.kind).create_event(device_.index)) {
  backend_of(device_.kind).record(device_.index, native_, stream.native());
}
QueueMark::~QueueMark() {
  backend_of(device_.kind).destroy_event(device_.index, native_);
}
void QueueMark::wait_in(const Stream& stream) const {
  backend_of(device_.kind).wait_in_queue(device_.index, stream.native(), native_);
}
bool QueueMark::reached() const {
  return backend_of(device_.kind).reached(device_.index, native_);
}

bool Graph::possible(Device device) {
  return backend_of(device.kind).captures_graphs();
}
Graph::Graph(const Stream& stream, const std::function<void()>& work) : device_(stream.device()) {
  const Backend& backend = backend_of(device_.kind);
  backend.select(device_.index);
  backend.begin_capture(device_.index, stream.native());
  try {
    work();
  } catch (...) {
    try {  // the capture of the queue must end; the first error is the one to report
      backend.destroy_graph(device_.index, backend.end_capture(device_.index, stream.native()));
    } catch (const Error&) {
    }
    throw;
  }
  native_ = backend.end_capture(device_.index, stream.native());
}
Graph::~Graph() {
  backend_of(device_.kind).destroy_graph(device_.index, native_);
}
void Graph::launch(const Stream& stream) const {
  backend_of(device_.kind).select(device_.index);
  backend_of(device_.kind).launch_graph(device_.index, stream.native(), native_);
}

}  // namespace umbra
