#include "tests/gauntlet/gauntlet.h"

#include <errno.h>  // program_invocation_short_name
#include <omp.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "engine/base/error.h"
#include "engine/ops/shared/problems.h"
#include "tests/gauntlet/compare.h"
#include "tests/gauntlet/fills.h"
#include "tests/gauntlet/guarded_memory.h"
#include "tests/gauntlet/rungs.h"

namespace umbra::gauntlet {
namespace {

constexpr std::uint64_t kSeed = 2018;

/// Buffers are allocated and freed by the thousand. To return their pages to the system each time and to fault them in
/// again takes up to a third of the time of a run.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

/// The magnitude of an op that is linear in its inputs, for which the reference gives `want`.
Bound usual_bound(const Kernel& reference, const Op& op64, const Values& inputs, const Values& want) {
  Values sizes = inputs;
  for (auto& list : sizes) list = absolutes(std::move(list));
  const bool known = sizes == inputs;  // as with Pattern::kOffset
  return {magnitudes_of_outputs(known ? want : reference_values(reference, op64, sizes)), usual_growth(op64)};
}

/// Runs kernels on the problems of one ladder.
class Runner {
 public:
  Runner(const Kernel& kernel, const Kernel& reference, const OpRules& rules, const Options& options)
      : kernel_(kernel), reference_(reference), rules_(rules), options_(options) {}

  bool leaves_out(const Op& op) const {
    if (!options_.only.empty() && op.text() != options_.only) return true;
    return op.flops() > options_.most_flops || (options_.leaves_out && options_.leaves_out(op));
  }

  /// Whether the problem with this number sees the pattern. Large problems skip some patterns because their
  /// reference takes long; smaller ones of the op see all. Patterns are for the comparison with the reference.
  bool sees(const Op& op, std::size_t number, Pattern pattern) const {
    const bool large = op.flops() > 3e7;
    if (!is_compared()) return pattern == Pattern::kNormal;
    if (options_.one_pattern_each && pattern != kPatterns[number % std::size(kPatterns)]) return false;
    if (pattern == Pattern::kIntegers) return op.exact_on_integers();
    return pattern == Pattern::kNormal || !large;
  }

  /// One problem with one pattern. Returns the failure, or nothing.
  std::string run(const Op& op, const Op& op64, Pattern pattern, double& worst) const {
    const Values inputs = make_inputs(op, rules_, pattern, kSeed);
    const Setting plain{1, false, kNanPoison};
    const Outcome first = run_kernel(kernel_, op, inputs, plain, options_.set_schedule);
    if (!first.violation.empty()) return concat(plain.text(), ": ", first.violation);
    if (is_compared()) {
      const std::string bad = compare(op, op64, inputs, decoded(op, first), pattern, worst);
      if (!bad.empty()) return concat(plain.text(), ": ", bad);
    }
    return run_otherwise(op, inputs, plain, first);
  }

  /// The line of a failure.
  std::string line(const Op& op, Pattern pattern, const std::string& bad) const {
    return concat(test_name(kernel_), " | ", op.text(), " | fill=", name_of(pattern), " seed=", kSeed, " | ",
                  bad, " | repeat: UMBRA_GAUNTLET_PROBLEM='", op.text(), "' ", program_invocation_short_name,
                  " --gtest_filter='*/", test_name(kernel_), "'");
  }

 private:
  /// The reference would agree with itself.
  bool is_compared() const { return &kernel_ != &reference_; }

  /// Compares with the reference. Returns the failure, or nothing.
  std::string compare(const Op& op, const Op& op64, const Values& inputs, const Values& got, Pattern pattern,
                      double& worst) const {
    Values want = reference_values(reference_, op64, inputs);
    const bool exact = pattern == Pattern::kIntegers;
    const Bound bound = exact && rules_.settle == nullptr ? Bound{} : bound_of(op64, inputs, want);
    if (rules_.settle != nullptr) rules_.settle(op, inputs, bound, got, want);
    return compare_outputs(op, got, want, bound, exact, worst);
  }

  Bound bound_of(const Op& op64, const Values& inputs, const Values& want) const {
    return rules_.bound != nullptr ? rules_.bound(op64, inputs, want)
                                   : usual_bound(reference_, op64, inputs, want);
  }

  std::string run_otherwise(const Op& op, const Values& inputs, const Setting& plain,
                            const Outcome& first) const {
    // Each run differs from the first in as much as it can: any of it that matters changes bits.
    std::vector<Setting> others{{2, true, kLargePoison}, {3, false, kNanPoison}};
    if (is_reference(kernel_)) others = {{1, true, kLargePoison}};  // it has no threads
    for (const Setting& setting : others) {
      const Outcome outcome = run_kernel(kernel_, op, inputs, setting, options_.set_schedule);
      if (!outcome.violation.empty()) return concat(setting.text(), ": ", outcome.violation);
      if (outcome.outputs != first.outputs)
        return concat(setting.text(), ": other bits than with ", plain.text());
    }
    return {};
  }

  const Kernel& kernel_;
  const Kernel& reference_;
  const OpRules& rules_;
  const Options& options_;
};

}  // namespace

Report run_gauntlet(const Ladder& ladder, const Kernel& kernel, std::span<const OpRules> all_rules,
                    const Options& options) {
  keep_freed_memory();
  Report report;
  const Kernel* reference = find_reference(ladder);
  if (reference == nullptr || ladder.problems == nullptr) {
    report.failures.push_back(
        concat(ladder.op, " has no f64 reference or no problems: nothing can be tested"));
    return report;
  }
  const OpRules rules = find_rules(all_rules, ladder.op);
  const Runner runner(kernel, *reference, rules, options);
  const int threads_before = omp_get_max_threads();
  const Problems problems = ladder.problems(kernel.dtype), problems64 = ladder.problems(DType::kF64);
  for (std::size_t i = 0; i < problems.size() && report.failures.size() < options.most_failures; ++i) {
    const Op &op = *problems[i], &op64 = *problems64.at(i);
    if (runner.leaves_out(op)) continue;
    ++report.problems;
    if (op.text() != op64.text())
      report.failures.push_back(concat(op.name(), ": problem ", i, " depends on the dtype"));
    if (!kernel.declines(op).empty()) {
      ++report.declined;
      continue;
    }
    for (Pattern pattern : kPatterns) {
      if (!runner.sees(op, i, pattern)) continue;
      const std::string bad = runner.run(op, op64, pattern, report.worst);
      if (!bad.empty()) report.failures.push_back(runner.line(op, pattern, bad));
    }
  }
  omp_set_num_threads(threads_before);
  return report;
}

}  // namespace umbra::gauntlet
