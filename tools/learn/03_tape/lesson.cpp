// Lesson 3: backpropagation on a tape of numbers, and what goes wrong without one.
#include "tools/learn/common/lesson.h"

#include <cstdint>

#include "tools/learn/03_tape/exercises.h"
#include "tools/learn/common/dual_gradient.h"
#include "tools/learn/common/engine_number.h"
#include "tools/learn/common/numbers.h"

namespace umbra::learn {
namespace {

using Matrix = std::vector<Numbers>;  // rows

Numbers gradients(ScalarTape& tape, std::size_t count) {
  Numbers found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(tape.entries()[i].gradient);
  return found;
}

// The expressions, for every kind of number. No sum has operations on both sides: C++ leaves their order open.
const auto counter_example = [](const auto& in) {  // a, 1
  const auto b = in[0] + in[1];
  return b + b * b;
};
const auto tanh_example = [](const auto& in) {  // x, y
  const auto t = tanh(in[0] * in[1]), square = t * t;
  return square + in[0] * t;
};
const auto neuron = [](const auto& in) {  // x1, w1, x2, w2, bias
  const auto first = in[0] * in[1];
  return tanh(first + in[2] * in[3] + in[4]);
};

// The layers of the slides: z0 = f0(x; theta0) = tanh(theta0 x), y = f1(z0; theta1) = theta1 z0.
const auto f1 = [](const auto& z0, const auto& theta1) {
  std::vector<decltype(theta1[0] * z0[0])> y;
  for (std::size_t at = 0; at < theta1.size(); ++at) {
    const auto term = theta1[at] * z0[at % z0.size()];
    at % z0.size() == 0 ? y.push_back(term) : void(y.back() = y.back() + term);
  }
  return y;
};
using std::tanh;
const auto f0 = [](const auto& x, const auto& theta0) {
  auto z0 = f1(x, theta0);
  for (auto& z : z0) z = tanh(z);
  return z0;
};
constexpr int kInputs = 2, kOutputs = 3, kTheta0 = 6, kTheta1 = 9;  // 3 hidden
const auto two_layers = [](const auto& in) {  // theta0, theta1, x, -target, 1/2; the result is the loss
  const auto end0 = in.begin() + kTheta0, end1 = end0 + kTheta1, end2 = end1 + kInputs;
  std::remove_cvref_t<decltype(in)> theta0(in.begin(), end0), theta1(end0, end1), x(end1, end2);
  auto y = f1(f0(x, theta0), theta1);
  for (int o = 0; o < kOutputs; ++o) y[o] = y[o] + end2[o];
  for (auto& error : y) error = error * error;
  return (y[0] + y[1] + y[2]) * in.back();
};

// The gradient on the scalar tape, checked against umbra's tape and dual numbers, and recorded.
template <class Expression>
ScalarTape compare(Lesson& lesson, const std::string& name, const Expression& expression,
                   const Numbers& inputs, const std::vector<std::string>& labels) {
  ScalarTape tape;
  std::vector<Number> in;
  for (const double input : inputs) in.push_back(tape.input(input));
  expression(in);
  tape.backward();
  const Numbers ours = gradients(tape, inputs.size());
  Matrix rows;  // operation, inputs, local derivatives, value, gradient
  for (const Entry& e : tape.entries())
    rows.push_back({static_cast<double>(e.operation), static_cast<double>(e.inputs[0]),
                    static_cast<double>(e.inputs[1]), e.local[0], e.local[1], e.value, e.gradient});
  lesson.record(name + "/tape", rows);
  lesson.record_words(name + "/labels", labels);

  const Numbers engine = engine_gradient(expression, inputs), dual = dual_gradient(expression, inputs);
  for (std::size_t i = 0; i < labels.size() && i < inputs.size(); ++i)
    lesson.say("  by %-4s  tape %.15f  umbra %.15f  dual %.15f", labels[i].c_str(), ours[i], engine[i],
               dual[i]);
  lesson.claim_less(name + ": the scalar tape and umbra's agree", largest_difference(ours, engine), 1e-14);
  lesson.claim_less(name + ": the scalar tape and dual numbers agree", largest_difference(ours, dual), 1e-14);
  return tape;
}

// What is often written first: an entry hands its gradient to its inputs and then calls itself on each of them,
// without waiting until the gradient of an input is complete.
struct Walk {
  std::vector<Entry>& tape;
  bool last_input_first;
  double calls = 0;
  std::uintptr_t lowest = UINTPTR_MAX;  // address of the stack
  void visit(int at) {
    ++calls;
    lowest = std::min(lowest, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
    const Entry entry = tape[static_cast<std::size_t>(at)];
    for (std::size_t i = 0; i < 2; ++i)
      if (entry.inputs[i] >= 0)
        tape[static_cast<std::size_t>(entry.inputs[i])].gradient += entry.gradient * entry.local[i];
    const int first = entry.inputs[last_input_first], last = entry.inputs[!last_input_first];
    if (first >= 0) visit(first);
    if (last >= 0 && last != first) visit(last);
  }
};
Walk walk_recursively(ScalarTape& tape, bool last_input_first) {
  tape.clear();
  tape.entries().back().gradient = 1;
  Walk walk{tape.entries(), last_input_first};
  walk.visit(static_cast<int>(tape.entries().size()) - 1);
  return walk;
}

void show_walks(Lesson& lesson, double a) {
  lesson.heading("f = b + b b with b = a + 1: a value that is used more than once");
  ScalarTape tape = compare(lesson, "counter", counter_example, {a, 1}, {"a", "1", "b", "b·b", "f"});
  Matrix walks{gradients(tape, 5)};
  for (const bool last_first : {false, true}) {
    walk_recursively(tape, last_first);
    walks.push_back(gradients(tape, 5));
  }
  for (const bool clear_a : {false, true}) {
    tape.backward();
    if (clear_a) tape.entries()[0].gradient = 0;
    walk_back(tape.entries());
    walks.push_back(gradients(tape, 5));
  }
  const std::string names[] = {"tape, once", "recursion, first input first", "recursion, last input first",
                               "tape, twice", "tape, twice, a cleared"};
  for (std::size_t i = 0; i < walks.size(); ++i)
    lesson.say("  %-28s df/da = %g", names[i].c_str(), walks[i][0]);
  lesson.claim_near("the tape gives 1 + 2 (a + 1)", walks[0][0], 1 + 2 * (a + 1), 1e-14);
  for (std::size_t i = 1; i < walks.size(); ++i)
    lesson.claim(names[i] + ": wrong", largest_difference(walks[i], walks[0]) > 1e-9);
  lesson.record("walks/gradients", walks);
}

void show_cost(Lesson& lesson, std::int64_t length) {
  lesson.heading("What recursion costs");
  Numbers levels, calls, entries;
  for (int n = 1; n <= 16; ++n) {
    ScalarTape tape;
    Number x = tape.input(1e-3);
    for (int k = 0; k < n; ++k) x = x + x * x;
    levels.push_back(n);
    entries.push_back(static_cast<double>(tape.entries().size()));
    calls.push_back(walk_recursively(tape, false).calls);
  }
  lesson.say("  x <- x + x x, 16 times: %.0f entries, but %.0f recursive calls", entries[15], calls[15]);
  lesson.claim("n levels: 2 n + 1 entries, 3 2^n - 2 calls", entries[15] == 33 && calls[15] == 3 * 65536 - 2);
  lesson.record("cost/entries", entries);
  lesson.record("cost/calls", calls);
  const Figure cost =
      Figure("Steps of the walk back", {"n: times that x is replaced by x + x x"}, {"steps", true, 1, 1e7})
          .points("recursion", levels, calls)
          .points("tape", levels, entries);
  lesson.figure("cost", cost,
                "Every level doubles the calls of recursion; it adds two steps to the walk of the tape.");

  const double c = 1 - 1.0 / static_cast<double>(length), mebibyte = 1 << 20, stack = 8 * mebibyte;
  const auto chain = [](std::int64_t n, auto x, auto factor) {
    for (; n > 0; --n) x = x * factor;
    return x;
  };
  const auto taped = [&](std::int64_t n) {
    ScalarTape tape;
    const Number x = tape.input(1);
    chain(n, x, tape.input(c));
    return tape;
  };
  ScalarTape tape = taped(length), hundred = taped(100), thousand = taped(1000);
  tape.backward();
  const double dual = chain(length, Dual<double>(1), Dual<double>(c, 1)).derivative;
  const double ours = tape.entries()[1].gradient;
  lesson.say("  y = x c c … c with %lld products: dy/dc = %.6f", static_cast<long long>(length), ours);
  lesson.claim_less("long chain: the tape and dual numbers agree", std::abs(ours / dual - 1), 1e-9);
  const std::uintptr_t above = walk_recursively(hundred, false).lowest,
                       below = walk_recursively(thousand, false).lowest;
  const double bytes = static_cast<double>(above - below) / 900, needed = bytes * static_cast<double>(length);
  lesson.say(
      "  recursion takes %.0f bytes of stack per product, so %.0f MiB for this chain; 8 MiB are full after %.0f",
      bytes, needed / mebibyte, stack / bytes);
  lesson.claim("long chain: a recursive walk overflows a stack of 8 MiB", needed > stack);
  lesson.record("chain/needed", needed / mebibyte);
  lesson.record("chain/length", static_cast<double>(length));
  lesson.record("chain/bytes", bytes);
  lesson.record("chain/full_at", stack / bytes);
}

void show_seven_lines(Lesson& lesson, std::int64_t seed) {
  lesson.heading("The seven lines of the slides, with the right symbols and the Jacobian on its side");
  Numbers in = normal_numbers(kTheta0 + kTheta1 + kInputs + kOutputs, seed, 0);
  in.push_back(0.5);
  ScalarTape tape = compare(lesson, "net", two_layers, in, {});
  const auto part = [&](int from, int count) {
    return Numbers(in.begin() + from, in.begin() + from + count);
  };
  const Numbers theta0 = part(0, kTheta0), theta1 = part(kTheta0, kTheta1),
                x = part(kTheta0 + kTheta1, kInputs);
  const Numbers z0 = f0(x, theta0), y = f1(z0, theta1);  // lines 1 and 2; line 3 is the loss
  Numbers target, grad_y;
  for (int o = 0; o < kOutputs; ++o) {
    target.push_back(-in[kTheta0 + kTheta1 + kInputs + o]);
    grad_y.push_back(y[o] - target[o]);  // line 4
  }
  const Numbers grad_theta1 =
      transposed_jacobian_times([&](auto& t) { return f1(z0, t); }, theta1, grad_y);  // line 5
  const Numbers grad_z0 =
      transposed_jacobian_times([&](auto& z) { return f1(z, theta1); }, z0, grad_y);  // line 6
  const Numbers grad_theta0 =
      transposed_jacobian_times([&](auto& t) { return f0(x, t); }, theta0, grad_z0);  // line 7
  const TwoLayers written = net_gradient({theta0, theta1}, x, target);
  Numbers lines = grad_theta0, direct = written.theta0;
  lines.insert(lines.end(), grad_theta1.begin(), grad_theta1.end());
  direct.insert(direct.end(), written.theta1.begin(), written.theta1.end());
  lesson.claim_less("the seven lines give the gradient of the tape",
                    largest_difference(lines, gradients(tape, kTheta0 + kTheta1)), 1e-14);
  lesson.claim_less("so does net_gradient()", largest_difference(direct, lines), 1e-14);
  // Line 6 without transpose: the Jacobian of f1 by z0 is theta1, here square, so that the product exists.
  const Numbers slide_z0 = f1(grad_y, theta1);
  lesson.say("  grad z0: %.4f %.4f %.4f; without the transpose: %.4f %.4f %.4f", grad_z0[0], grad_z0[1],
             grad_z0[2], slide_z0[0], slide_z0[1], slide_z0[2]);
  lesson.claim("without the transpose, line 6 is wrong", largest_difference(slide_z0, grad_z0) > 0.1);
  lesson.record("net/grad_z0", {grad_z0, slide_z0});
}

void teach(Lesson& lesson, double a, std::int64_t chain, std::int64_t seed) {
  show_walks(lesson, a);
  lesson.heading("Two more expressions");
  compare(lesson, "tanh", tanh_example, {0.8, -1.5}, {"x", "y", "x·y", "t", "t·t", "x·t", "f"});
  compare(lesson, "neuron", neuron, {2, -3, 0, 1, 6.7},
          {"x1", "w1", "x2", "w2", "bias", "x1·w1", "x2·w2", "sum", "z", "y"});
  show_cost(lesson, chain);
  show_seven_lines(lesson, seed);
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  double a = 2;
  std::int64_t chain = 1000000, seed = 1;
  const std::vector<umbra::Setting> settings = {
      {"a", "where the counter-example is differentiated", &a, -10, 10},
      {"chain", "products in the long chain", &chain, 1000, 5000000},
      {"seed", "of the weights of the net with two layers", &seed, 0, 1e9}};
  return umbra::learn::run_lesson(argc, argv, "03_tape", settings, [&](umbra::learn::Lesson& lesson) {
    umbra::learn::teach(lesson, a, chain, seed);
  });
}
