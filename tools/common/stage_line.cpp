#include "tools/common/stage_line.h"

#include <cmath>

namespace umbra {

StageLine::StageLine() : line_(stderr) {}

StageReport StageLine::report() {
  if (!line_.on_terminal()) return {};
  return [this](const StageState& state) { show(state); };
}

void StageLine::show(const StageState& state) {
  const bool another = state.name != name_;
  name_ = state.finished ? "" : state.name;
  if (state.finished) return line_.clear();
  const auto now = std::chrono::steady_clock::now();
  if (another) start_ = now;
  if (!another && !line_.due()) return;
  std::vector<StatusPart> parts{{name_, 0}};
  const std::size_t width = line_.width();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (state.total == 0) {
    if (seconds >= 1) parts.push_back({clock_text(std::floor(seconds)), 1});
  } else {
    const double share = static_cast<double>(state.done) / static_cast<double>(state.total);
    parts.push_back({progress_bar(state.done, state.total, bar_length(width)), 2});
    parts.push_back({std::to_string(static_cast<int>(100 * share)) + "%", 1});
    if (state.done > 0) parts.push_back({"left " + clock_text(seconds * (1 / share - 1)), 3});
  }
  line_.draw(fitting_parts(parts, width));
}

}  // namespace umbra
