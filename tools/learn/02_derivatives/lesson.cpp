// Lesson 2: a derivative by differences, by dual numbers and by the tape. All of them run the same templates.
#include "tools/learn/common/lesson.h"

#include <algorithm>
#include <cmath>

#include "engine/grad/functions.h"
#include "engine/runtime/backend.h"
#include "tools/learn/02_derivatives/exercises.h"

namespace umbra::learn {
namespace {

using Rows = std::vector<std::vector<double>>;
const std::string kCurves[] = {"forward f64", "central f64", "forward f32", "central f32"};

struct Options {
  std::int64_t function = 0, inputs = 64;
  double x = 0.75;
  std::vector<Setting> settings() {
    return {{"function", "0: x² tanh(x), 1: x³ + x², 2: x logistic(x)", &function, 0, 2},
            {"x", "where the derivative is taken", &x, 0.125, 4},
            {"inputs", "most inputs of the function whose operations are counted", &inputs, 2, 256}};
  }
};

/// A number on the tape: a tensor [1].
struct Taped {
  Pass* pass;
  Var var;
  friend Taped operator*(const Taped& a, const Taped& b) { return {a.pass, mul(*a.pass, a.var, b.var)}; }
  friend Taped operator+(const Taped& a, const Taped& b) { return {a.pass, add(*a.pass, a.var, b.var)}; }
  friend Taped tanh(const Taped& a) { return {a.pass, umbra::tanh(*a.pass, a.var)}; }
  friend Taped logistic(const Taped& a) { return {a.pass, sigmoid(*a.pass, a.var)}; }
};

/// A dual number that counts its operations: two for each, on the value and on the derivative.
struct Counted {
  Dual<double> number;
  std::int64_t* count;
  std::int64_t* counted() const { return *count += 2, count; }
  friend Counted operator*(Counted a, Counted b) { return {a.number * b.number, a.counted()}; }
  friend Counted operator+(Counted a, Counted b) { return {a.number + b.number, a.counted()}; }
  friend Counted tanh(Counted a) { return {tanh(a.number), a.counted()}; }
};

using learn::logistic;  // of dual numbers: exercise 2
template <std::floating_point Real>
Real logistic(Real x) {
  return 1 / (1 + std::exp(-x));
}

template <class T>
T f(std::int64_t which, const T& x) {
  using std::tanh;
  if (which == 0) return x * x * tanh(x);
  return which == 1 ? x * x * x + x * x : x * logistic(x);
}

// The derivative by the rules of calculus, in 80 bits where the machine has them.
double exact(std::int64_t which, double at) {
  const long double x = at, t = std::tanh(x), s = logistic(x);
  if (which == 0) return static_cast<double>(2 * x * t + x * x * (1 - t * t));
  return static_cast<double>(which == 1 ? 3 * x * x + 2 * x : s + x * s * (1 - s));
}

std::array<double, 4> quotients(std::int64_t which, double x, double h) {
  const auto f64 = [&](double v) { return f(which, v); };
  const auto f32 = [&](float v) { return f(which, v); };
  const auto xf = static_cast<float>(x), hf = static_cast<float>(h);
  return {(f64(x + h) - f64(x)) / h, central_difference(f64, x, h), (f32(xf + hf) - f32(xf)) / hf,
          (f32(xf + hf) - f32(xf - hf)) / (2 * hf)};
}

// A function of many inputs: n times a product, a tanh and a sum.
template <class T>
T chain(const std::vector<T>& x) {
  T sum = x[0];
  for (const T& input : x) sum = sum * tanh(input) + input;
  return sum;
}

/// A tape, its inputs, and the number of operations that the engine has run.
struct Recording {
  Registry registry = make_registry();
  Context context{registry, parse_device("cpu")};
  Tape tape{context};
  Pass pass{context, &tape};
  std::int64_t count = 0;
  Taped input(double value, DType dtype = DType::kF64) {
    Tensor tensor = allocate_tensor(context.device(), {1}, dtype);
    from_host(std::vector<double>{value}, tensor, context.stream);
    Var var = constant(tensor);
    var->needs_grad = true;
    return {&pass, var};
  }
  double gradient(Taped x) { return x.var->grad.defined() ? to_host(x.var->grad, context.stream)[0] : 0; }
};

// The quotients at x, and their typical error: the root mean square over 25 points from x on.
Rows differences(const Options& o, Lesson& lesson, const std::vector<double>& h) {
  Rows chosen;
  for (std::int64_t which = 0; which < 3; ++which) {
    Rows values(4), errors(4);
    for (const double step : h) {
      std::array<double, 4> squares{};
      for (int k = 0; k < 25; ++k) {
        const double x = static_cast<float>(o.x) + k / 128.0;
        const std::array<double, 4> all = quotients(which, x, step);
        for (std::size_t c = 0; c < 4; ++c) {
          squares[c] += std::pow(all[c] - exact(which, x), 2) / 25;
          if (k == 0) values[c].push_back(all[c]);
        }
      }
      for (std::size_t c = 0; c < 4; ++c) errors[c].push_back(std::sqrt(squares[c]));
    }
    lesson.record("quotients/" + std::to_string(which), values);
    lesson.record("errors/" + std::to_string(which), errors);
    if (which == o.function) chosen = errors;
  }
  return chosen;
}

void u_curves(const Options& o, Lesson& lesson) {
  lesson.heading("Differences: the error against the step h");
  std::vector<double> h, best, lowest;
  for (int i = 0; i <= 60; ++i) h.push_back(std::pow(10, -1 - i / 4.0));
  const Rows errors = differences(o, lesson, h);
  Figure figure("", {"step h", true, 1e-16, 1}, {"error of the derivative", true, 1e-13, 1e3});
  for (std::size_t c = 0; c < 4; ++c) {
    const auto least = std::min_element(errors[c].begin(), errors[c].end());
    best.push_back(h[static_cast<std::size_t>(least - errors[c].begin())]);
    lowest.push_back(*least);
    lesson.say("%s: error %.1e at h = 0.1, %.1e at h = %.1e", kCurves[c].c_str(), errors[c][0], lowest[c],
               best[c]);
    figure.line(kCurves[c], h, errors[c]);
  }
  lesson.record("h", h);
  lesson.record("best", {best, lowest});
  // Between h[i] and h[j] the error is as h^p.
  const auto p = [&](std::size_t c, std::size_t i, std::size_t j) {
    return std::log10(errors[c][i] / errors[c][j]) * 4 / static_cast<double>(j - i);
  };
  lesson.claim_near("forward: truncation error h^p from 1e-6 to 1e-2, p", p(0, 4, 20), 1, 0.05);
  lesson.claim_near("central: truncation error h^p from 1e-4 to 1e-2, p", p(1, 4, 12), 2, 0.05);
  lesson.claim_near("forward: rounding error h^p from 1e-14 to 1e-10, p", p(0, 36, 52), -1, 0.1);
  lesson.claim_near("central: rounding error h^p from 1e-12 to 1e-7, p", p(1, 24, 44), -1, 0.1);
  for (std::size_t c = 0; c < 4; ++c) {
    const double expected = std::log10(c < 2 ? 0x1p-52 : 0x1p-23) / (c % 2 == 0 ? 2 : 3);
    const std::string rule = ": log10(best h) is about log10(epsilon) / " + std::to_string(c % 2 + 2);
    lesson.claim_near(kCurves[c] + rule, std::log10(best[c]), expected, 0.5);
  }
  lesson.figure("ucurves", figure, "Four curves of the error against h: falling, then rising again.");
}

void without_a_step(const Options& o, Lesson& lesson) {
  lesson.heading("Dual numbers and the tape: no step");
  const double x = static_cast<float>(o.x), truth = exact(o.function, x);
  std::vector<double> values{truth, f(o.function, Dual<double>(x, 1)).derivative};
  for (const DType dtype : {DType::kF64, DType::kF32}) {
    Recording recording;
    const Taped input = recording.input(x, dtype);
    recording.tape.backward(f(o.function, input).var);
    values.push_back(recording.gradient(input));
  }
  lesson.record("derivative", values);
  lesson.say("f'(%g) = %.17g by the formula", x, truth);
  const std::string names[] = {"", "dual numbers", "the tape in f64", "the tape in f32"};
  for (const std::size_t k : {1, 2, 3})
    lesson.claim_less(names[k] + ": relative error in units of epsilon",
                      std::abs(values[k] / truth - 1) / (k < 3 ? 0x1p-52 : 0x1p-23), 4);
}

void jacobian(Lesson& lesson) {
  lesson.heading("The Jacobian J [2 outputs, 3 inputs], a row per reverse pass");
  const std::array<double, 3> x{0.5, 0.8, -1.2}, v{1, -2, 3}, u{0.7, -1.9};
  const auto times_j = [&](double v0, double v1, double v2) {  // J v, by dual numbers
    return two_outputs<Dual<double>>({{{x[0], v0}, {x[1], v1}, {x[2], v2}}});
  };
  Rows rows(2);
  double difference = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    Recording recording;
    const std::array<Taped, 3> inputs{recording.input(x[0]), recording.input(x[1]), recording.input(x[2])};
    recording.tape.backward(two_outputs(inputs)[i].var);
    const std::array<double, 3> sweep = reverse_sweep(x, {i == 0 ? 1.0 : 0.0, i == 1 ? 1.0 : 0.0});
    for (std::size_t k = 0; k < 3; ++k) {
      const double by_duals = times_j(k == 0, k == 1, k == 2)[i].derivative;
      rows[i].push_back(recording.gradient(inputs[k]));
      difference = std::max({difference, std::abs(sweep[k] - by_duals), std::abs(rows[i][k] - by_duals)});
    }
    lesson.say("  [%9.6f %9.6f %9.6f]", rows[i][0], rows[i][1], rows[i][2]);
  }
  lesson.record("jacobian", rows);
  lesson.claim_less("rows by the tape and a reverse sweep, columns by dual numbers: difference", difference,
                    1e-15);
  const std::array<double, 3> pulled = reverse_sweep(x, {u[0], u[1]});
  const std::array<Dual<double>, 2> pushed = times_j(v[0], v[1], v[2]);
  const double left = u[0] * pushed[0].derivative + u[1] * pushed[1].derivative;
  lesson.claim_near("u · (J v) = (Jᵀ u) · v", left, pulled[0] * v[0] + pulled[1] * v[1] + pulled[2] * v[2],
                    1e-14);
}

void cost(const Options& o, Lesson& lesson) {
  lesson.heading("Operations for the gradient of a function of n inputs");
  Rows table(4);  // n, the function, forward mode, reverse mode
  double difference = 0, dearest = 0;
  for (std::int64_t n = 1; n <= o.inputs; n *= 2) {
    Recording recording;
    recording.context.observer = [&](const auto&...) { ++recording.count; };
    std::vector<Taped> taped;
    std::vector<Counted> duals;
    std::int64_t operations = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      taped.push_back(recording.input(0.3 + 0.5 * static_cast<double>(k % 3)));
      duals.push_back({0.3 + 0.5 * static_cast<double>(k % 3), &operations});
    }
    const Taped result = chain(taped);
    const std::int64_t plain = recording.count;
    recording.tape.backward(result.var);
    for (std::size_t k = 0; k < duals.size(); ++k) {
      std::vector<Counted> seeded = duals;
      seeded[k].number.derivative = 1;
      const double by_duals = chain(seeded).number.derivative;
      difference = std::max(difference, std::abs(by_duals / recording.gradient(taped[k]) - 1));
    }
    const std::int64_t row[] = {n, plain, operations, recording.count};
    for (std::size_t c = 0; c < 4; ++c) table[c].push_back(static_cast<double>(row[c]));
    dearest = std::max(dearest, table[3].back() / table[1].back());
    lesson.say("n = %3ld: the function %4ld, forward mode (n passes) %6ld, reverse mode (one) %4ld", n, plain,
               operations, recording.count);
  }
  lesson.record("cost", table);
  lesson.claim_less("both give the same gradients, largest relative difference", difference, 1e-12);
  lesson.claim_less("reverse mode: operations over those of the function, at most", dearest, 3.01);
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Options options;
  return run_lesson(argc, argv, "02_derivatives", options.settings(), [&](Lesson& lesson) {
    u_curves(options, lesson);
    without_a_step(options, lesson);
    jacobian(lesson);
    cost(options, lesson);
  });
}
