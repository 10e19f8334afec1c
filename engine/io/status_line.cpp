#include "engine/io/status_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace umbra {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::size_t kUsualColumns = 80;  // of a terminal that does not know its size
constexpr std::string_view kClear = "\r\033[J";
constexpr const char *kNoWrap = "\033[?7l",
                     *kWrap = "\033[?7h";  // what is too long is cut at the last column

std::atomic<int> drawn_on{-1};  // the descriptor of the terminal, for signal handlers

bool is_terminal(std::FILE* out) {
  const char* kind = std::getenv("TERM");
  const std::string_view term = kind == nullptr ? "" : kind;
  return isatty(fileno(out)) != 0 && !term.empty() && term != "dumb";
}

}  // namespace

StatusLine::StatusLine(std::FILE* out) : out_(out), terminal_(is_terminal(out)) {}

StatusLine::~StatusLine() {
  clear();
}

std::size_t StatusLine::width() const {
  winsize size{};
  const bool known = ::ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : kUsualColumns) - 1;
}

bool StatusLine::due() const {
  return terminal_ && (!drawn_ || std::chrono::steady_clock::now() - last_ >= kRedraw);
}

void StatusLine::draw(std::string_view text) {
  if (!terminal_) return;
  std::string line(text.substr(0, width()));
  for (char& c : line) c = c >= ' ' && c <= '~' ? c : '?';
  drawn_on = fileno(out_);
  drawn_ = true;
  std::fprintf(out_, "\r%s%s\033[J%s\r", kNoWrap, line.c_str(), kWrap);
  std::fflush(out_);
  last_ = std::chrono::steady_clock::now();
}

void StatusLine::clear() {
  if (!drawn_) return;
  std::fputs(kClear.data(), out_);
  std::fflush(out_);
  drawn_ = false;
  drawn_on = -1;
}

void StatusLine::print(std::string_view text) {
  clear();
  std::fprintf(out_, "%.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(out_);
}

void clear_status_line() noexcept {
  const int terminal = drawn_on;
  if (terminal < 0) return;
  const ssize_t ignored = ::write(terminal, kClear.data(), kClear.size());
  static_cast<void>(ignored);
}

std::string fitting_parts(const std::vector<StatusPart>& parts, std::size_t width) {
  int most = std::numeric_limits<int>::min();
  for (const StatusPart& part : parts) most = std::max(most, part.rank);
  for (;; --most) {
    std::string line;
    for (const StatusPart& part : parts)
      if (part.rank <= most && !part.text.empty()) line += (line.empty() ? "" : "  ") + part.text;
    const bool only_one =
        std::none_of(parts.begin(), parts.end(), [&](const StatusPart& part) { return part.rank < most; });
    if (line.size() <= width || only_one) return line;
  }
}

std::string progress_bar(std::int64_t done, std::int64_t total, std::size_t length) {
  const std::size_t cells = length - 2;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const auto filled = static_cast<std::size_t>(static_cast<double>(cells) * std::clamp(share, 0.0, 1.0));
  return "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "]";
}

std::size_t bar_length(std::size_t width) {
  constexpr std::size_t kShort = 12, kLong = 22;
  return width < kUsualColumns - 1 ? kShort : kLong;
}

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  char text[32];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  return text;
}

}  // namespace umbra
