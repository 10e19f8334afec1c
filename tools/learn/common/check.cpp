// The program that checks a lesson's exercises: one line per exercise, and below it what is wrong. Exit status 0 if
// all pass. With a file as its argument it writes the numbers of those that pass to it. UMBRA_LEARN_SECONDS is the
// time that an exercise may take (10).
#include "tools/learn/common/check.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

namespace umbra::learn {
namespace {

struct NotWritten {};

// Exit statuses of the process of an exercise, unlike those that a learner's function may end with.
enum Outcome : int { kPassed = 70, kWrong = 71, kNotWritten = 72 };

std::string printed(const char* format, auto... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// The limits of an exercise's process: it ends with its parent, writes no core file and does not use up the memory.
void limit_process() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
  const rlim_t bytes = rlim_t{4} << 30;  // sanitizers reserve far more
  const rlimit memory{bytes, bytes};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
}

// What a process prints until it ends or the time is over.
struct Printed {
  std::string text;
  bool ended;
};

Printed read_until_end(int pipe, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kMost = 1 << 16;  // a learner may print in an endless loop
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  Printed printed{"", false};
  char buffer[4096];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return printed;
    pollfd ready{pipe, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(std::min<long long>(left, 1000))) <= 0) continue;
    const ssize_t got = ::read(pipe, buffer, sizeof buffer);
    if (got <= 0) return {printed.text, true};
    printed.text.append(buffer, static_cast<std::size_t>(got));
    if (printed.text.size() > 2 * kMost) printed.text.erase(kMost, kMost);
  }
}

// Long output is cut in its middle: mistakes are at its end.
void print_cut(const std::string& text) {
  constexpr std::size_t kFirst = 12, kLast = 12;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > kFirst + kLast + 1 && i == kFirst) {
      i = lines.size() - kLast;
      std::printf("       …\n");
    }
    std::printf("%s\n", lines[i].c_str());
  }
}

// Assertions of the standard library, in plain English; nothing if the text has none of these.
std::string assertion_in(const std::string& text) {
  const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (has("Assertion '__n < this->size()' failed") || has("Assertion '__idx < size()' failed"))
    return "an index is outside of its list";
  return has("empty()' failed") ? "an element of an empty list is used" : "";
}

std::string state_of(int status, bool ended, double seconds, const std::string& text) {
  if (!ended) return printed("does not end; stopped after %g s", seconds);
  const std::string assertion = assertion_in(text);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !assertion.empty())
    return "crashes: " + assertion;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
    return "crashes: an index out of range, or a recursion without end";
  if (WIFSIGNALED(status)) return std::string("crashes: ") + ::strsignal(WTERMSIG(status));
  switch (WEXITSTATUS(status)) {
    case kPassed:
      return "passed";
    case kWrong:
      return "wrong";
    case kNotWritten:
      return "not written yet";
    default:
      return printed("ends the program, with exit status %d", WEXITSTATUS(status));
  }
}

}  // namespace

void not_written() {
  throw NotWritten{};
}

std::string text_of(double number) {
  return printed("%g", number);
}

int Checker::outcome(const std::function<void()>& check) {
  try {
    check();
  } catch (const NotWritten&) {
    return kNotWritten;
  } catch (const std::exception& error) {
    fail(std::string("it throws: ") + error.what());
  } catch (...) {
    fail("it throws something that is not a std::exception");
  }
  print_failures();
  return failures_.empty() ? kPassed : kWrong;
}

void Checker::exercise(int number, const std::string& title, const std::function<void()>& check) {
  ++exercises_;
  failures_.clear();
  std::fflush(nullptr);
  int ends[2];
  pid_t child = -1;
  if (::pipe(ends) != 0 || (child = ::fork()) < 0) {
    std::perror("cannot check the exercise");
    std::exit(1);
  }
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    limit_process();
    const int result = outcome(check);
    std::fflush(nullptr);
    ::_exit(result);
  }
  ::close(ends[1]);
  const Printed printed = read_until_end(ends[0], seconds_);
  ::close(ends[0]);
  if (!printed.ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  const bool passes = printed.ended && WIFEXITED(status) && WEXITSTATUS(status) == kPassed;
  if (passes) passed_.push_back(number);
  std::printf("  %s %d. %s: %s\n", passes ? "✓" : "✗", number, title.c_str(),
              state_of(status, printed.ended, seconds_, printed.text).c_str());
  print_cut(printed.text);
}

void Checker::print_failures() const {
  for (std::size_t i = 0; i < std::min<std::size_t>(failures_.size(), 5); ++i)
    std::printf("       %s\n", failures_[i].c_str());
  if (failures_.size() > 5) std::printf("       and %zu more\n", failures_.size() - 5);
}

void Checker::fail(const std::string& message) {
  failures_.push_back(message);
}

void Checker::near(const std::string& what, double got, double expected, double tolerance) {
  if (std::abs(got - expected) <= tolerance * std::max(1.0, std::abs(expected))) return;
  fail(what + printed(": %.10g, expected %.10g, difference %.3g", got, expected, got - expected));
}

void Checker::near(const std::string& what, const std::vector<double>& got,
                   const std::vector<double>& expected, double tolerance) {
  if (got.size() != expected.size()) {
    fail(what +
         printed(": %zu number%s, expected %zu", got.size(), got.size() == 1 ? "" : "s", expected.size()));
    return;
  }
  if (got.size() == 1) return near(what, got[0], expected[0], tolerance);
  std::size_t wrong = 0, worst = 0;
  double largest = -1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(got[i] - expected[i]);
    if (difference <= tolerance * std::max(1.0, std::abs(expected[i]))) continue;
    ++wrong;
    if (!(difference <= largest)) largest = difference, worst = i;
  }
  if (wrong == 0) return;
  fail(what + printed(": %zu of %zu numbers %s wrong; at index %zu it is %.10g, expected %.10g", wrong,
                      got.size(), wrong == 1 ? "is" : "are", worst, got[worst], expected[worst]));
}

void Checker::expect(const std::string& what, bool holds) {
  if (!holds) fail("expected: " + what);
}

}  // namespace umbra::learn

int main(int argc, char** argv) {
  ::signal(SIGPIPE,
           SIG_IGN);  // the result is recorded also if nobody reads all that is printed, as with | head
  const char* seconds = std::getenv("UMBRA_LEARN_SECONDS");
  umbra::learn::Checker checker(seconds == nullptr ? 10 : std::strtod(seconds, nullptr));
  umbra::learn::check_exercises(checker);
  if (argc > 1) {
    std::FILE* results = std::fopen(argv[1], "w");
    if (results == nullptr) return std::perror(argv[1]), 1;
    for (const int number : checker.passed()) std::fprintf(results, "%d\n", number);
    if (std::fclose(results) != 0) return std::perror(argv[1]), 1;
  }
  return checker.passed().size() == checker.exercises() ? 0 : 1;
}
