#include "engine/train/profile.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace umbra {

void Profile::attach(Context& context) {
  peaks_ = measure_peaks(context);
  context.observer = [this, &context](const Op& op, const Kernel& kernel, std::span<const Tensor>,
                                      double seconds) {
    Entry& entry = entries_[{std::string(op.name()), op.text()}];
    if (entry.calls == 0) {
      entry.rung = kernel.rung;
      entry.why = context.registry.why(op, context.device().kind);
    }
    ++entry.calls;
    entry.seconds += seconds;
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
