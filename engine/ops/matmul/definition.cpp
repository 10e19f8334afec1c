// The definitions of the three passes of a fully connected layer: their references, and the problems on
// which every rung is tested and timed: the head of the UM ResNet (4 C -> 320 -> 80 -> 14), ResNet18's
// classifier, and ones, primes, and tiles or vectors plus or minus one.
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/op.h"
#include "engine/ops/matmul/reference.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

template <class T>
void fprop_reference(const LinearFprop& op, Buffers b, void*, Stream&) {  // x, w, b -> y
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      linear_fprop_reference(op.rows, op.in, op.out, b.in<T>(0), w, op.bias ? b.in<T>(2) : nullptr,
                             b.out<T>(3), rounded);
    });
  });
}
template <class T>
void dgrad_reference(const LinearDgrad& op, Buffers b, void*, Stream&) {  // dy, w -> dx
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      linear_dgrad_reference(op.rows, op.in, op.out, b.in<T>(0), w, b.out<T>(2), rounded);
    });
  });
}
template <class T>
void wgrad_reference(const LinearWgrad& op, Buffers b, void*, Stream&) {  // x, dy -> dw, db
  with_rounding(op.precision, [&](const auto& rounded) {
    linear_wgrad_reference(op.rows, op.in, op.out, b.in<T>(0), b.in<T>(1), b.out<T>(2),
                           op.bias ? b.out<T>(3) : nullptr, rounded);
  });
}

struct ProductShape {
  std::int64_t rows, in, out;
};

constexpr ProductShape kExact[] = {
    {32, 80, 320},
    {32, 400, 320},
    {32, 800, 320},
    {32, 320, 80},
    {32, 80, 14},
    {5, 16, 320},
    {8, 512, 10},
    {1, 1, 1},
    {1, 13, 1},
    {7, 1, 3},
    {1, 7, 31},
    {2, 3, 5},
    {31, 17, 11},
    {33, 15, 16},
    {4, 4, 4},
    {12, 16, 32},
    {13, 31, 33},
    {11, 33, 31},
    {3, 128, 127},
    {65, 2, 97},
    {97, 101, 103},
    {200, 129, 64},
    {320, 30, 900},
    {12, 3001, 5},
    // Just enough outputs for each of a GPU's larger tiles: in fprop, in dgrad, in wgrad.
    {65, 1, 7105},
    {65, 1, 14212},
    {2, 1, 14341},
    {65, 7105, 1},
    {65, 14212, 1},
    {2, 14341, 1},
    {1, 7105, 65},
    {1, 14212, 65},
    {1, 14341, 2}};

// With rounded operands: tiles of 8, 16, 32, 64 plus and minus a few in every role, and sums that end
// within a step of an instruction.
constexpr ProductShape kRounded[] = {
    {32, 80, 320},
    {32, 400, 320},
    {32, 320, 80},
    {32, 80, 14},
    {5, 16, 320},
    {8, 512, 10},
    {1, 1, 1},
    {1, 13, 1},
    {7, 1, 3},
    {1, 7, 31},
    {31, 17, 11},
    {33, 15, 16},
    {13, 31, 33},
    {3, 128, 127},
    {65, 2, 97},
    {97, 101, 103},
    {33, 200, 65},
    {64, 24, 100},
    {5, 65, 40},
    {17, 64, 20},
    {200, 129, 64},
    {12, 3001, 5},
    // Just enough outputs for each of a GPU's larger tiles, in one pass or two each.
    {65, 1, 14212},
    {65, 14212, 1},
    {1, 14212, 65},
    {1, 65, 14212},
    {14341, 3, 2},
    // More samples than fit into one tile of rows, for the rungs that pack operands.
    {66, 200, 130},
    {127, 330, 14},
    {70, 3001, 5}};

template <class O>
Problems problems(DType dtype) {
  Problems list;
  for (const ProductShape& s : kExact) {
    for (const bool bias : {true, false})
      list.push_back(std::make_unique<O>(dtype, s.rows, s.in, s.out, bias));
  }
  const auto add_rounded = [&](const auto&... precision) {
    bool bias = true;
    for (const ProductShape& s : kRounded) {
      list.push_back(std::make_unique<O>(dtype, s.rows, s.in, s.out, bias, precision...));
      bias = !bias;
    }
  };
  add_rounded(Precision::kTf32);
  add_rounded(Precision::kBf16);
  if constexpr (!std::is_same_v<O, LinearWgrad>) add_rounded(Precision::kBf16, DType::kBf16);
  return list;
}

}  // namespace

Ladder linear_fprop_definition() {
  return define_op<LinearFprop, fprop_reference<float>, fprop_reference<double>>(problems<LinearFprop>);
}
Ladder linear_dgrad_definition() {
  return define_op<LinearDgrad, dgrad_reference<float>, dgrad_reference<double>>(problems<LinearDgrad>);
}
Ladder linear_wgrad_definition() {
  return define_op<LinearWgrad, wgrad_reference<float>, wgrad_reference<double>>(problems<LinearWgrad>);
}

}  // namespace umbra
