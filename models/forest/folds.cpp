// The assignment of rows to folds.
#include <algorithm>
#include <vector>

#include "engine/base/philox.h"
#include "models/forest/search.h"

namespace umbra {

std::vector<int> make_folds(std::span<const std::uint8_t> used, int folds, std::uint64_t seed) {
  require(folds >= 2, "forest: cross-validation needs at least 2 folds, not ", folds);
  const Rng rng(seed, Purpose::kForestFolds);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // random key, row
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] == 0) continue;
    const Philox4 words = rng.words(i);
    order.emplace_back(std::uint64_t{words[0]} << 32 | words[1], i);
  }
  require(std::ssize(order) >= folds, "forest: ", order.size(), " rows cannot fill ", folds, " folds");
  std::sort(order.begin(), order.end());
  std::vector<int> fold_of(used.size(), -1);
  for (std::size_t place = 0; place < order.size(); ++place)
    fold_of[order[place].second] = static_cast<int>(place % static_cast<std::size_t>(folds));
  return fold_of;
}

std::vector<int> used_folds(std::span<const std::uint8_t> used, std::span<const int> fold_of, int folds) {
  require(folds >= 2, "forest: cross-validation needs at least 2 folds, not ", folds);
  require(fold_of.size() == used.size(), "forest: ", used.size(), " rows, but folds of ", fold_of.size());
  std::vector<int> of_used(used.size(), -1);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(folds), 0);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] == 0) continue;
    require(fold_of[i] >= 0 && fold_of[i] < folds, "forest: row ", i, " is in fold ", fold_of[i],
            ", but there are ", folds, ", counted from 0");
    of_used[i] = fold_of[i];
    ++rows[static_cast<std::size_t>(fold_of[i])];
  }
  const auto empty = std::find(rows.begin(), rows.end(), 0);
  require(empty == rows.end(), "forest: fold ", empty - rows.begin(), " of ", folds, " has no rows");
  return of_used;
}

}  // namespace umbra
