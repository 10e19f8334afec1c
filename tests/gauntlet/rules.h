// What an op needs besides the usual to run the gauntlet: its tolerance, inputs that belong together, outputs
// on which more than one answer is right. A rule stands beside the tests of its op (tests/engine/*_rules.cpp)
// and is found by the op's name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/philox.h"
#include "engine/base/precision.h"
#include "engine/ops/kernel.h"
#include "tests/gauntlet/bound.h"

namespace umbra::gauntlet {

/// How the inputs of a run are filled.
enum class Pattern {
  kNormal,      // about standard normal
  kIntegers,    // integers in [-4, 4]: every sum is exact, so every order of it gives the same number
  kMagnitudes,  // 2^-12 … 2^12 with either sign, a sixteenth zeros
  kOffset,      // a mean of 1000 with a spread of 1: what cancels, cancels
};

/// About standard normal from one word: the sum of its four bytes, centred and scaled (an Irwin-Hall sum).
/// Cheap, bounded by 3.5, and symmetric.
double roughly_normal(std::uint32_t word);

/// Null functions: the op needs nothing of the kind.
struct OpRules {
  std::string_view op;  // Op::name()

  /// How far outputs may be from `want`, what the reference makes of `in`, for an op that is not linear in
  /// its inputs. Null: the op on the absolute values of its inputs, growing as usual_growth() says.
  Bound (*bound)(const Op&, const Values& in, const Values& want) = nullptr;

  /// Changes inputs that must belong together. `rng` is a stream that no buffer was filled from.
  void (*fill)(const Op&, const Rng& rng, Values& in) = nullptr;

  /// Where more than one answer is right and `got`, what the kernel made of `in`, is one of them, `want`
  /// takes it.
  void (*settle)(const Op&, const Values& in, const Bound&, const Values& got, Values& want) = nullptr;

  /// What the op rounds its first two buffers to.
  Precision (*precision)(const Op&) = nullptr;

  /// How many tiles its rungs for warpgroups multiply on tensor cores, most of them with zeros where channels
  /// are few: what the time of an emulated one goes with, some milliseconds each.
  std::int64_t (*emulated_tiles)(const Op&) = nullptr;

  /// Why the kernel cannot run on this machine, in a sentence; "" when it can.
  std::string (*cannot_run)(const Kernel&) = nullptr;
};

/// Those of the op of this name; where there are none, rules without functions.
inline OpRules find_rules(std::span<const OpRules> rules, std::string_view op) {
  for (const OpRules& candidate : rules) {
    if (candidate.op == op) return candidate;
  }
  return {op};
}

// The functions above from functions on ops of type O: `.bound = bound<SgdStep, bound_of_sgd>`.
template <class O, Bound (*kBound)(const O&, const Values& in, const Values& want)>
Bound bound(const Op& op, const Values& in, const Values& want) {
  return kBound(static_cast<const O&>(op), in, want);
}
template <class O, void (*kFill)(const O&, const Rng&, Values& in)>
void fill(const Op& op, const Rng& rng, Values& in) {
  kFill(static_cast<const O&>(op), rng, in);
}
template <class O, void (*kSettle)(const O&, const Values& in, const Bound&, const Values& got, Values& want)>
void settle(const Op& op, const Values& in, const Bound& bound, const Values& got, Values& want) {
  kSettle(static_cast<const O&>(op), in, bound, got, want);
}
/// Of an op with a member `precision`.
template <class O>
Precision precision(const Op& op) {
  return static_cast<const O&>(op).precision;
}

}  // namespace umbra::gauntlet
