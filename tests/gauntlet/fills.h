// The inputs that the gauntlet gives a kernel: pure functions of (seed, buffer, index), held as double and
// exact in the dtype of the buffer, so that the double-precision reference sees the very same numbers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/philox.h"
#include "engine/ops/op.h"
#include "tests/gauntlet/rules.h"

namespace umbra::gauntlet {

inline constexpr Pattern kPatterns[] = {Pattern::kNormal, Pattern::kIntegers, Pattern::kMagnitudes,
                                        Pattern::kOffset};

std::string_view name_of(Pattern pattern);

/// Numbers for every buffer that the kernel reads; those of outputs stay empty. The op's own rules may change
/// them at the end.
Values make_inputs(const Op& op, const OpRules& rules, Pattern pattern, std::uint64_t seed);

}  // namespace umbra::gauntlet
