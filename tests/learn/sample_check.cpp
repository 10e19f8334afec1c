// Checks for tests: exercises that end in every way in which a learner's function may end.
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "tools/learn/common/check.h"

namespace umbra::learn {

void check_exercises(Checker& checker) {
  const std::vector<double> expected{1, 2, 3, 4};
  checker.exercise(1, "right", [&] {
    checker.near("a number", 1e6 + 1e-4, 1e6);
    checker.near("numbers", {1, 2, 3, 4 + 1e-10}, expected);
    checker.expect("true", true);
  });
  checker.exercise(2, "wrong", [&] {
    checker.near("a number", 1.5, 1);
    checker.near("not a number", std::nan(""), 1);
    checker.near("a sum", 1 + 1e-6, 1, 1e-7);
    checker.near("too few", {1, 2}, expected);
    checker.near("numbers", {1, 2.5, 3, 8}, expected);
    checker.expect("that this holds", false);
  });
  checker.exercise(3, "empty", [] { not_written(); });
  checker.exercise(4, "throws", [] { throw std::runtime_error("no"); });
  checker.exercise(5, "throws a number", [] { throw 1; });
  checker.exercise(6, "endless", [] {
    volatile bool again = true;
    while (again) continue;
  });
  checker.exercise(7, "crashes", [] {
    std::signal(SIGSEGV, SIG_DFL);  // not a sanitizer's handler, which exits
    std::raise(SIGSEGV);
  });
  checker.exercise(8, "aborts", [] { std::abort(); });
  checker.exercise(9, "exits", [] { std::exit(0); });
  checker.exercise(10, "prints", [] {
    for (int i = 0; i < 100; ++i) std::printf("line %d\n", i);
  });
  int counter = 0;
  checker.exercise(11, "writes", [&] { counter = 1; });
  checker.exercise(12, "reads", [&] { checker.near("counter", counter, 0); });
  checker.exercise(13, "lists", [&] {
    const std::vector<double> two{2}, one{1};
    checker.near("the only one", two, one);
    checker.near("one of four", {1, 2, 3, 8}, expected);
    checker.near("one for four", one, expected);
    checker.expect(text_of(0.5) + " or " + text_of(-2), false);
  });
}

}  // namespace umbra::learn
