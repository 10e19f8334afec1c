// The assignment of rows to folds.
#include <algorithm>
#include <vector>

#include "engine/base/philox.h"
#include "models/forest/search.h"

namespace umbra {

std::vector<int> make_folds(std::span<const std::uint8_t> used, std::span<const std::int64_t> groups,
                            int folds, std::uint64_t seed) {
  require(folds >= 2, "forest: cross-validation needs at least 2 folds, not ", folds);
  require(groups.empty() || groups.size() == used.size(), "forest: ", used.size(), " rows, but ",
          groups.size(), " groups of rows");
  const auto group = [&](std::size_t i) { return groups.empty() ? static_cast<std::int64_t>(i) : groups[i]; };
  struct Member {
    std::uint64_t key;
    std::int64_t group;
    std::size_t row;
  };
  const Rng rng(seed, Purpose::kForestFolds);
  std::vector<Member> members;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] == 0) continue;
    const Philox4 words = rng.words(static_cast<std::uint64_t>(group(i)));
    members.push_back({std::uint64_t{words[0]} << 32 | words[1], group(i), i});
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return a.key != b.key ? a.key < b.key : a.group != b.group ? a.group < b.group : a.row < b.row;
  });
  std::vector<int> fold_of(used.size(), -1);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(folds), 0);
  int groups_seen = 0;
  for (std::size_t i = 0; i < members.size(); groups_seen += groups_seen < folds ? 1 : 0) {
    const auto fewest = std::min_element(rows.begin(), rows.end());
    const std::int64_t current = members[i].group;
    for (; i < members.size() && members[i].group == current; ++i, ++*fewest)
      fold_of[members[i].row] = static_cast<int>(fewest - rows.begin());
  }
  require(groups_seen == folds, "forest: ", groups_seen, " groups of rows cannot fill ", folds, " folds");
  return fold_of;
}

}  // namespace umbra
