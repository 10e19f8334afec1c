// The definition of packed operands and the problems on which its rungs are tested and timed: activations of the
// network with 20 channels, with rows that need gaps and rows that do not, and irregular shapes; its weights, in one
// order and in both, and more stacks than one launch of a GPU takes, empty ones between others.
#include "engine/ops/data_movement/pack_operand_reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  constexpr PackedStack kStacks[] = {{64, 20, 32}, {8, 40, 32}, {1, 80, 32}, {1, 200, 33}, {5, 1, 1},
                                     {3, 33, 31},  {2, 31, 5},  {1, 1, 65},  {7, 64, 64},  {0, 3, 5}};
  std::vector<PackedStack> many;
  for (std::int64_t k = 0; k < 100; ++k)
    many.push_back({k % 3, 1 + k * 7 % 34, 1 + k * 5 % 37, k % 4 != 1, k % 4 != 2});
  const std::vector<PackedStack> lists[] = {{{0, 3, 5}, {0, 1, 1}},
                                            {{27, 20, 40}, {1, 20, 40}, {27, 40, 40}},
                                            {{1, 33, 6, false}, {0, 3, 5}, {2, 5, 34, true, false}},
                                            many};
  Problems list;
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    for (const PackedStack& s : kStacks)
      list.push_back(std::make_unique<PackOperand>(dtype, precision, std::vector{s}));
    for (const std::vector<PackedStack>& stacks : lists)
      list.push_back(std::make_unique<PackOperand>(dtype, precision, stacks));
  }
  return list;
}

}  // namespace

Ladder pack_operand_definition() {
  return define_op<PackOperand, pack_operand_reference<float>, pack_operand_reference<double>>(problems);
}

}  // namespace umbra
