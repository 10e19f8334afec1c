// Checks of the exercises of lesson 7: against numbers that were counted on paper, and against a slower way
// that writes the padding into memory.
#include "tools/learn/common/check.h"

#include <cmath>

#include "tools/learn/07_convolution/exercises.h"

namespace umbra::learn {
namespace {

struct Window {
  std::int64_t size, taps, stride, padding;
};

const std::vector<Window> kWindows = {{5, 3, 1, 0}, {5, 3, 1, 1}, {25, 3, 2, 3}, {8, 3, 2, 1},
                                      {4, 3, 1, 1}, {2, 3, 2, 1}, {1, 3, 1, 1},  {9, 4, 3, 2},
                                      {7, 2, 2, 0}, {3, 5, 1, 4}, {6, 1, 4, 0}};

std::string text(const char* what, const Window& w) {
  return std::string(what) + " for size " + std::to_string(w.size) + ", taps " + std::to_string(w.taps) +
         ", stride " + std::to_string(w.stride) + ", padding " + std::to_string(w.padding);
}

// Some numbers without a pattern.
std::vector<double> numbers(std::int64_t count, double phase) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(std::sin(phase + 2.3 * static_cast<double>(i * i)) + 0.1);
  return values;
}

// Walks the kernel over the input with its padding in memory; calls body(o, t, padded input, is data).
template <class Body>
void walk(const Window& w, const Body& body) {
  std::int64_t o = 0;
  for (std::int64_t start = 0; start + w.taps <= w.size + 2 * w.padding; start += w.stride, ++o)
    for (std::int64_t t = 0; t < w.taps; ++t) {
      const std::int64_t at = start + t;
      body(o, t, at, at >= w.padding && at < w.padding + w.size);
    }
}

std::int64_t walked_outputs(const Window& w) {
  std::int64_t last = -1;
  walk(w, [&](std::int64_t o, std::int64_t, std::int64_t, bool) { last = o; });
  return last + 1;
}

std::vector<double> walked(const Window& w, const std::vector<double>& x, const std::vector<double>& kernel) {
  std::vector<double> padded(static_cast<std::size_t>(w.padding), 0.0);
  padded.insert(padded.end(), x.begin(), x.end());
  padded.resize(padded.size() + static_cast<std::size_t>(w.padding), 0.0);
  std::vector<double> y(static_cast<std::size_t>(walked_outputs(w)), 0.0);
  walk(w, [&](std::int64_t o, std::int64_t t, std::int64_t at, bool) {
    y[static_cast<std::size_t>(o)] +=
        kernel[static_cast<std::size_t>(t)] * padded[static_cast<std::size_t>(at)];
  });
  return y;
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the size of the output", [&] {
    checker.near("5 positions, 3 taps", static_cast<double>(output_size(5, 3, 1, 0)), 3);
    checker.near("the first layer of the UM ResNet, 25 with stride 2 and padding 3",
                 static_cast<double>(output_size(25, 3, 2, 3)), 15);
    for (const Window& w : kWindows)
      checker.near(text("the size", w), static_cast<double>(output_size(w.size, w.taps, w.stride, w.padding)),
                   static_cast<double>(walked_outputs(w)));
  });
  checker.exercise(2, "a convolution in one dimension", [&] {
    checker.near("the differences of 0 0 1 3", convolve({0, 0, 1, 3}, {-1, 1}, 1, 0), {0, 1, 2});
    checker.near("with one zero at each end", convolve({1, 2, 3}, {10, 1, 0.1}, 1, 1), {1.2, 12.3, 23});
    for (const Window& w : kWindows) {
      const std::vector<double> x = numbers(w.size, 1), kernel = numbers(w.taps, 2);
      checker.near(text("the output", w), convolve(x, kernel, w.stride, w.padding), walked(w, x, kernel),
                   1e-12);
    }
  });
  checker.exercise(3, "the live taps of a kernel in three dimensions", [&] {
    checker.near("3³ taps over 4³ positions, padding 1", static_cast<double>(live_taps(4, 3, 1, 1)), 27);
    checker.near("3³ taps over 2³ positions, stride 2, padding 1", static_cast<double>(live_taps(2, 3, 2, 1)),
                 8);
    checker.near("3³ taps over one position, padding 1", static_cast<double>(live_taps(1, 3, 1, 1)), 1);
    for (const Window& w : kWindows) {
      std::vector<bool> live(static_cast<std::size_t>(w.taps), false);
      walk(w, [&](std::int64_t, std::int64_t t, std::int64_t, bool data) {
        if (data) live[static_cast<std::size_t>(t)] = true;
      });
      double count = 0;
      for (const bool is : live) count += is ? 1 : 0;
      checker.near(text("live taps", w), static_cast<double>(live_taps(w.size, w.taps, w.stride, w.padding)),
                   count * count * count);
    }
  });
}

}  // namespace umbra::learn
