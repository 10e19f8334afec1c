// Pooling in the gauntlet: the backward pass of max-pooling gets winners of real windows.
#include "engine/ops/pool/max_pool_reference.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Values;

/// A kernel may assume that argmax is in the window of its output.
void fit_argmax(const MaxPoolBackward& op, const Rng& rng, Values& in) {
  const PoolGeometry& g = op.geometry;
  std::vector<double> x(static_cast<std::size_t>(g.in_volume() * g.row()));
  Philox4 words{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 4 == 0) words = rng.words(i / 4);
    x[i] = gauntlet::roughly_normal(words[i % 4]);
  }
  std::size_t at = 0;
  for (std::int64_t i = 0; i < g.out(0); ++i) {
    for (std::int64_t j = 0; j < g.out(1); ++j) {
      for (std::int64_t k = 0; k < g.out(2); ++k) {
        for (std::int64_t cn = 0; cn < g.row(); ++cn)
          in[1][at++] = static_cast<double>(pool_winner(g, x.data() + cn, g.row(), i, j, k));
      }
    }
  }
}

}  // namespace

std::vector<gauntlet::OpRules> pool_rules() {
  return {{.op = MaxPoolBackward::kName, .fill = gauntlet::fill<MaxPoolBackward, fit_argmax>}};
}

}  // namespace umbra
