#include "engine/train/profile.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"

namespace umbra {
namespace {

// Copies of the tensors that an op writes, so that it can be repeated without a trace; it reads the others where they are,
// however large (the samples on the device, for example). A tensor that is given twice is copied once.
class Copies {
 public:
  Copies(Context& context, const Op& op, std::span<const Tensor> tensors) {
    const std::vector<BufferSpec> specs = op.buffers();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor& tensor = tensors[i];
      if (!tensor.defined() || specs[i].access == Access::kIn) {
        pointers_.push_back(tensor.defined() ? tensor.data() : nullptr);
        continue;
      }
      const auto [copied, is_new] = tensors_.try_emplace({tensor.data(), tensor.bytes()});
      if (is_new) {
        copied->second = context.temporary_like(tensor);
        copy(tensor, copied->second, context.stream);
      }
      pointers_.push_back(copied->second.data());
    }
  }
  Buffers buffers() const { return pointers_; }

 private:
  std::map<std::pair<const void*, std::size_t>, Tensor> tensors_;
  std::vector<void*> pointers_;
};

// Seconds of a launch among others, as in a step that is replayed: an op that is launched alone, which takes `alone`, is
// timed together with what its launch takes on the host. Launches follow one another in a graph that takes kLong.
double seconds_in_graph(Context& context, const Op& op, const Kernel& kernel, std::span<const Tensor> tensors,
                        double alone) {
  constexpr double kLong = 200e-6, kMost = 20;
  const int launches = static_cast<int>(std::clamp(kLong / alone, 1.0, kMost));
  const Copies copies(context, op, tensors);
  const std::size_t bytes = kernel.workspace(op);
  const std::shared_ptr<Storage> workspace = bytes > 0 ? context.arena.take(bytes) : nullptr;
  void* const scratch = workspace ? workspace->data() : nullptr;
  const Graph graph(context.stream, [&] {
    for (int i = 0; i < launches; ++i) kernel.run(op, copies.buffers(), scratch, context.stream);
    const std::string error = backend_of(context.device().kind).launch_error(context.device().index);
    require(error.empty(), op.name(), " (", op, ", rung ", kernel.rung, "), repeated in a graph: ", error);
  });
  const Event start(context.device()), end(context.device());
  graph.launch(context.stream);  // while it runs, the host queues the one that is timed
  start.record(context.stream);
  graph.launch(context.stream);
  end.record(context.stream);
  context.stream.synchronize();
  return seconds_between(start, end) / launches;
}

}  // namespace

void Profile::attach(Context& context) {
  peaks_ = measure_peaks(context);
  context.observer = [this, &context](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors,
                                      double seconds) {
    Entry& entry = entries_[{std::string(op.name()), op.text()}];
    if (entry.calls == 0) {
      entry.rung = kernel.rung;
      entry.why = context.registry.why(op, context.device().kind);
      if (Graph::possible(context.device()))
        entry.in_graph = seconds_in_graph(context, op, kernel, tensors, seconds);
    }
    ++entry.calls;
    entry.seconds += entry.in_graph.value_or(seconds);
    entry.flops += op.flops();
    entry.bytes += op.bytes();
  };
}

std::string Profile::table() const {
  using Row = std::pair<std::pair<std::string, std::string>, Entry>;
  std::vector<Row> rows(entries_.begin(), entries_.end());
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.second.seconds > b.second.seconds; });
  double total = 0;
  for (const Row& row : rows) total += row.second.seconds;
  char buffer[512];
  std::snprintf(buffer, sizeof buffer,
                "measured peaks of this device: %.1f GFLOP/s, %.1f GB/s; \"roof\" is the share of these that "
                "an op reaches, above 100 %% where its data come from a cache\n",
                peaks_.flops * 1e-9, peaks_.bytes * 1e-9);
  std::string text = buffer;
  text +=
      "op                        rung              calls   ms/call   share  GFLOP/s    GB/s   roof  problem "
      "(why this rung)\n";
  for (const auto& [key, e] : rows) {
    const double roof = peaks_.roofline(e.flops, e.bytes, e.seconds);
    std::snprintf(buffer, sizeof buffer, "%-25s %-16s %6lld %9.4f %6.1f%% %8.1f %7.1f %5.0f%%  %s (%s)\n",
                  key.first.c_str(), e.rung.c_str(), static_cast<long long>(e.calls),
                  1e3 * e.seconds / static_cast<double>(e.calls), 100 * e.seconds / total,
                  e.flops / e.seconds * 1e-9, e.bytes / e.seconds * 1e-9, 100 * roof, key.second.c_str(),
                  e.why.c_str());
    text += buffer;
  }
  return text;
}

}  // namespace umbra
