// A lesson for tests: what it claims and records depends on its settings.
#include <cmath>
#include <limits>

#include "tools/learn/common/lesson.h"

namespace umbra::learn {
namespace {

struct Options {
  double rate = 0.5;
  std::int64_t steps = 3;
  bool twice = false;

  std::vector<Setting> settings() {
    return {{"rate", "factor of each step", &rate},
            {"steps", "number of steps", &steps, 1, 100},
            {"twice", "record a name twice", &twice}};
  }
};

void teach(const Options& options, Lesson& lesson) {
  lesson.heading("Steps");
  std::vector<double> values{1};
  for (std::int64_t step = 0; step < options.steps; ++step) values.push_back(values.back() * options.rate);
  lesson.say("the last value is %.3f", values.back());
  lesson.claim_less("the last value is small", values.back(), 0.2);
  lesson.claim_near("half of the first", values[1], 0.5, 0.1);
  lesson.claim("there are values", !values.empty());
  lesson.record("values", values);
  lesson.record("rows", std::vector<std::vector<double>>{{1, 2, options.rate}, {4, 5, 6}});
  lesson.record("special",
                std::vector<double>{std::nan(""), std::numeric_limits<double>::infinity(), -0.0, 0.1});
  lesson.record_words("classes", {"a", options.rate > 1 ? "grows" : "shrinks"});
  if (options.twice) lesson.record("values", 1);
  Figure figure("Values", {"step", false, 0, 0}, {"value", true, 0, 0});
  std::vector<double> steps;
  for (std::size_t i = 0; i < values.size(); ++i) steps.push_back(static_cast<double>(i));
  figure.line("a < b & c", steps, values).points("", steps, values);
  figure.theory("", steps, values).line("", steps, values);
  lesson.figure("values", figure, "Values that shrink.");
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  umbra::learn::Options options;
  return umbra::learn::run_lesson(argc, argv, "98_sample", options.settings(),
                                  [&](umbra::learn::Lesson& lesson) { teach(options, lesson); });
}
