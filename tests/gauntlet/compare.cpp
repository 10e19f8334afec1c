#include "tests/gauntlet/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace umbra::gauntlet {
namespace {

std::string compare(const BufferSpec& spec, const std::vector<double>& got, const std::vector<double>& want,
                    const std::vector<double>* magnitude, double growth, double& worst) {
  const bool integral = spec.dtype == DType::kI32 || spec.dtype == DType::kI64 || spec.dtype == DType::kBf16;
  const double tiny =
      spec.dtype == DType::kF32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double tolerance =
        magnitude == nullptr || integral ? 0 : unit_roundoff(spec.dtype) * growth * (*magnitude)[i] + tiny;
    const double error = std::abs(got[i] - want[i]);
    if (!(error <= tolerance) || !std::isfinite(tolerance)) {
      std::ostringstream text;
      text.precision(17);
      text << spec.name << "[" << i << "] got " << (std::isnan(got[i]) ? std::abs(got[i]) : got[i])
           << " want " << want[i] << " tolerance " << tolerance;
      return text.str();
    }
    if (tolerance > 0) worst = std::max(worst, error / tolerance);
  }
  return {};
}

}  // namespace

std::string compare_outputs(const Op& op, const Values& got, const Values& want, const Bound& bound,
                            bool exact, double& worst) {
  const std::vector<BufferSpec> specs = op.buffers();
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    const std::string bad =
        compare(specs[b], got[b], want[b], exact ? nullptr : &bound.magnitude[b], bound.growth, worst);
    if (!bad.empty()) return bad;
  }
  return {};
}

}  // namespace umbra::gauntlet
