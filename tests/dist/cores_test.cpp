// A fair number of threads for the processes of a job, whatever cores mpirun gave them.
#include "engine/dist/cores.h"

#include <gtest/gtest.h>

namespace umbra {
namespace {

// "node 1100" per process.
std::vector<int> threads_of(const std::vector<std::pair<std::string, std::string>>& cores) {
  std::vector<CoresOfProcess> processes;
  for (const auto& [host, usable] : cores) {
    processes.push_back({host, {}});
    for (const char core : usable) processes.back().usable.push_back(core == '1');
  }
  std::vector<int> threads;
  for (std::size_t own = 0; own < processes.size(); ++own) threads.push_back(fair_threads(processes, own));
  return threads;
}

TEST(Cores, AreDividedAmongTheProcessesOfAHostThatMayUseThem) {
  using Threads = std::vector<int>;
  EXPECT_EQ(threads_of({{"a", "1111"}}), Threads{4});
  EXPECT_EQ(threads_of({{"a", "1111"}, {"a", "1111"}}), (Threads{2, 2}));  // --bind-to none
  EXPECT_EQ(threads_of({{"a", "1111"}, {"b", "1111"}}), (Threads{4, 4}));  // a host each
  EXPECT_EQ(threads_of({{"a", "1100"}, {"a", "0011"}}), (Threads{2, 2}));  // bound to different cores
  EXPECT_EQ(threads_of({{"a", "11"}, {"a", "11"}, {"a", "11"}}), (Threads{1, 1, 1}));  // --oversubscribe
  EXPECT_EQ(threads_of({{"a", "1111"}, {"a", "1000"}}), (Threads{3, 1}));
  EXPECT_EQ(threads_of({{"a", "111"}, {"a", "111"}, {"a", "111"}}),
            (Threads{1, 1, 1}));  // three thirds of a core
}

}  // namespace
}  // namespace umbra
