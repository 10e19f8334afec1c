// Exceptions of single ops in the gauntlet: another tolerance, inputs that must be consistent, outputs with
// more than one correct answer. A rule is next to the tests of its op (tests/engine/*_rules.cpp) and is found
// by the op's name.
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
  kOffset,      // a mean of 1000 with a spread of 1: exposes cancellation
};

/// About standard normal from one word: the sum of its four bytes, centred and scaled (an Irwin-Hall sum).
/// Cheap, bounded by 3.5, and symmetric.
double roughly_normal(std::uint32_t word);

/// A null function means that the op needs no such rule.
struct OpRules {
  std::string_view op;  // Op::name()

  /// How far outputs may be from `want`, the reference's outputs for `in`, for an op that is not linear in
  /// its inputs. Null: the magnitude is the op on the absolute values of its inputs, the growth
  /// usual_growth().
  Bound (*bound)(const Op&, const Values& in, const Values& want) = nullptr;

  /// Changes inputs that must be consistent with one another. `rng` is a stream that no buffer was filled
  /// from.
  void (*fill)(const Op&, const Rng& rng, Values& in) = nullptr;

  /// Where several answers are correct and `got`, the kernel's output for `in`, is one of them, copies it to
  /// `want`.
  void (*settle)(const Op&, const Values& in, const Bound&, const Values& got, Values& want) = nullptr;

  /// What the op rounds its first two buffers to.
  Precision (*precision)(const Op&) = nullptr;

  /// How many tiles its rungs for warpgroups multiply on tensor cores (mostly zeros where channels are few).
  /// An emulated run takes some milliseconds per tile.
  std::int64_t (*emulated_tiles)(const Op&) = nullptr;

  /// The reason why the kernel cannot run on this machine; "" when it can.
  std::string (*cannot_run)(const Kernel&) = nullptr;
};

/// The rules of the op of this name; null functions where it has none.
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
