#include "tools/forest/share.h"

#include <cstring>
#include <type_traits>

namespace umbra {
namespace {

// Integers: the sums do not depend on the order of the processes.
template <class T>
void add_over_processes(Communicator& world, std::span<T> numbers) {
  const std::vector<std::byte> all = world.gather_bytes(std::as_bytes(numbers));
  std::vector<T> of_rank(numbers.size());
  for (int rank = 0; rank < world.size(); ++rank) {
    std::memcpy(of_rank.data(), all.data() + static_cast<std::size_t>(rank) * numbers.size_bytes(),
                numbers.size_bytes());
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = (rank == 0 ? 0 : numbers[i]) + of_rank[i];
  }
}

}  // namespace

ForestShare share_of(Communicator& world, int rank, std::int64_t trees) {
  const std::int64_t begin = trees * rank / world.size(), end = trees * (rank + 1) / world.size();
  return {begin, end - begin, [&world](std::span<std::int64_t> sums, std::span<std::int32_t> numbers) {
            add_over_processes(world, sums);
            add_over_processes(world, numbers);
          }};
}

void collect_trees(Communicator& world, Forest& forest) {
  static_assert(std::is_trivially_copyable_v<ForestNode>);
  for (int rank = 0; rank < world.size(); ++rank) {
    const ForestShare share = share_of(world, rank, std::ssize(forest.trees));
    for (std::int64_t i = 0; i < share.trees; ++i) {
      ForestTree& tree = forest.trees[static_cast<std::size_t>(share.first + i)];
      std::int64_t nodes = std::ssize(tree);
      world.broadcast(std::as_writable_bytes(std::span(&nodes, 1)), rank);
      tree.resize(static_cast<std::size_t>(nodes));
      world.broadcast(std::as_writable_bytes(std::span(tree)), rank);
    }
  }
}

}  // namespace umbra
