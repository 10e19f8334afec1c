// StatusLine: one line at the bottom of a terminal that is drawn again and again. The width of the terminal is
// read for every drawing, and the text is cut to one column less, so that it never wraps; wrapping is also switched
// off meanwhile, for a window that shrinks before the text arrives. Between drawings the cursor waits at the first
// column. A terminal that wraps old lines again when its window shrinks then keeps the
// cursor at the start of the text, and the next drawing clears all of its rows; one that does not touches nothing
// else. No handler of SIGWINCH is needed: it could only wait for the next drawing, which reads the width anyway.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// A line that is redrawn on a terminal. Elsewhere only print() has an effect. Anything else that the program
/// prints on the same terminal must follow a clear().
class StatusLine {
 public:
  /// Draws on `out` if that is a terminal and TERM names one that understands escape sequences.
  explicit StatusLine(std::FILE* out);
  /// Clears the line.
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether the line is drawn at all.
  bool on_terminal() const { return terminal_; }
  /// The most characters that a drawing may have now: the columns of the terminal less one.
  std::size_t width() const;
  /// Whether it is time to draw again: on a terminal, a tenth of a second after the last drawing.
  bool due() const;
  /// Draws the text, cut to width(), in place of the one before. Characters other than printable ASCII become
  /// question marks.
  void draw(std::string_view text);
  /// Removes the line.
  void clear();
  /// Removes the line and prints one that stays, whole and with a line break.
  void print(std::string_view text);

 private:
  std::FILE* out_;
  bool terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

/// Removes the line that a StatusLine of this process has drawn. For signal handlers: it may be called at any
/// time, and the process must end afterwards.
void clear_status_line() noexcept;

/// A part of a line.
struct StatusPart {
  std::string text;  ///< without blanks around it
  int rank;          ///< the parts with the highest ranks are left out first
};
/// The parts in their order, separated by two blanks, without the least important ones if all do not fit.
std::string fitting_parts(const std::vector<StatusPart>& parts, std::size_t width);
/// "[#####...............]"; `length` counts the brackets.
std::string progress_bar(std::int64_t done, std::int64_t total, std::size_t length);
/// The length of a bar on a terminal with this width(): shorter where a long one would leave no room for words.
std::size_t bar_length(std::size_t width);
/// "1:02:03", or "2:03" below an hour; whole seconds, rounded up.
std::string clock_text(double seconds);

}  // namespace umbra
