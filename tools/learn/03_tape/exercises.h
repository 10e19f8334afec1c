// A tape of numbers: the values of a computation in the order in which they were computed, and what the learner writes of it.
//
//   ScalarTape tape;
//   Number a = tape.input(2), b = a + tape.input(1), f = b + b * b;
//   tape.backward();                     // tape[a].gradient is now the derivative of f with respect to a
//
// Every operation appends an entry, so inputs always come before what is made of them. Walking once from the end to
// the beginning therefore meets an entry only after all that use it: its gradient is complete when it is passed on.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace umbra::learn {

/// What an entry of the tape does.
enum class Operation { kInput, kAdd, kMultiply, kTanh };

/// An entry of the tape: an input, or one operation on earlier entries.
struct Entry {
  Operation operation;          ///< how the value was made
  std::array<int, 2> inputs;    ///< places of its inputs on the tape, all before its own; -1: there is none
  std::array<double, 2> local;  ///< derivative of the value with respect to each input
  double value;                 ///< the result of the forward pass
  double gradient = 0;  ///< after the backward walk: derivative of the last entry with respect to this
};

/// Exercise 1. The local derivatives of a b: with respect to a, and with respect to b.
std::array<double, 2> product_rule(double a, double b);

/// Exercise 2. The backward walk: sets the gradient of the last entry to 1, then goes once from the last entry to the
/// first and adds to the gradient of every input what reaches it through the entry. It clears nothing.
void walk_back(std::vector<Entry>& tape);

/// The weights of z0 = tanh(theta0 x), y = theta1 z0, row-major.
struct TwoLayers {
  std::vector<double> theta0;  ///< [hidden, inputs]
  std::vector<double> theta1;  ///< [outputs, hidden]
};

/// Exercise 3. The gradient of L = |y - target|² / 2 with respect to all weights, in the same shapes. x [inputs],
/// target [outputs]; the number of hidden units follows from the sizes.
TwoLayers net_gradient(const TwoLayers& net, const std::vector<double>& x, const std::vector<double>& target);

class ScalarTape;

/// A number on a tape: the place of its entry.
struct Number {
  ScalarTape* tape;
  int at;
};

class ScalarTape {
 public:
  /// Appends a number that nothing on the tape has made: a variable or a constant.
  Number input(double value) { return append({Operation::kInput, {-1, -1}, {0, 0}, value}); }
  /// Appends an operation.
  Number append(const Entry& entry) {
    entries_.push_back(entry);
    return {this, static_cast<int>(entries_.size()) - 1};
  }
  /// The gradient of the last entry with respect to every entry; whatever the gradients were, they are replaced.
  void backward() {
    clear();
    walk_back(entries_);
  }
  void clear() {
    for (Entry& entry : entries_) entry.gradient = 0;
  }
  Entry& operator[](Number number) { return entries_[static_cast<std::size_t>(number.at)]; }
  std::vector<Entry>& entries() { return entries_; }

 private:
  std::vector<Entry> entries_;
};

inline Number operator+(Number a, Number b) {
  return a.tape->append({Operation::kAdd, {a.at, b.at}, {1, 1}, (*a.tape)[a].value + (*a.tape)[b].value});
}
inline Number operator*(Number a, Number b) {
  const double x = (*a.tape)[a].value, y = (*a.tape)[b].value;
  return a.tape->append({Operation::kMultiply, {a.at, b.at}, product_rule(x, y), x * y});
}
inline Number tanh(Number a) {
  const double y = std::tanh((*a.tape)[a].value);
  return a.tape->append({Operation::kTanh, {a.at, -1}, {1 - y * y, 0}, y});
}

}  // namespace umbra::learn
