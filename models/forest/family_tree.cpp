#include "models/forest/family_tree.h"

namespace umbra {

ForestTree FamilyTree::tree_of(std::size_t member) const {
  if (forks_.empty()) return nodes_;
  std::vector<std::int32_t> instead(nodes_.size(), -1);
  for (const Fork& fork : forks_) {
    if (member >= fork.member) instead[static_cast<std::size_t>(fork.index)] = fork.other;
  }
  const auto found = [&](std::size_t at) {
    while (instead[at] >= 0) at = static_cast<std::size_t>(instead[at]);
    return at;
  };
  ForestTree out;
  std::vector<std::size_t> source,
      waiting{0};  // of each node of `out`: its node in nodes_; nodes of `out` to visit
  const auto add = [&](std::size_t at) {
    source.push_back(found(at));
    out.push_back(nodes_[source.back()]);
  };
  add(0);
  while (!waiting.empty()) {  // children are numbered when their parent is split, left parents first
    const std::size_t at = waiting.back();
    waiting.pop_back();
    if (out[at].leaf()) continue;
    const auto left = static_cast<std::size_t>(nodes_[source[at]].left);
    out[at].left = static_cast<std::int32_t>(out.size());
    waiting.push_back(out.size() + 1);
    waiting.push_back(out.size());
    add(left);
    add(left + 1);
  }
  return out;
}

}  // namespace umbra
