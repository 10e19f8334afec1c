// The definition of packed operands and the problems on which its rungs are tested and timed: activations of the
// network with 20 channels, with rows that need gaps and rows that do not, and irregular shapes.
#include "engine/ops/data_movement/pack_operand_reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  struct Stack {
    std::int64_t outer, rows, columns;
  };
  constexpr Stack kStacks[] = {{64, 20, 32}, {8, 40, 32}, {1, 80, 32}, {1, 200, 33}, {5, 1, 1},
                               {3, 33, 31},  {2, 31, 5},  {1, 1, 65},  {7, 64, 64},  {0, 3, 5}};
  Problems list;
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    for (const Stack& s : kStacks)
      list.push_back(std::make_unique<PackOperand>(dtype, precision, s.outer, s.rows, s.columns));
  }
  return list;
}

}  // namespace

Ladder pack_operand_definition() {
  return define_op<PackOperand, pack_operand_reference<float>, pack_operand_reference<double>>(problems);
}

}  // namespace umbra
