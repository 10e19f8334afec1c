// A chunk that writes what another chunk writes. ctest passes when ThreadSanitizer reports it: so a tsan
// build of the suite without reports means something. The same loop without the fault must cause no report,
// or every loop would be a "race".
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "engine/cpu/parallel.h"

int main(int argc, char** argv) {
  const bool with_race = argc == 2 && std::strcmp(argv[1], "with-race") == 0;
  omp_set_num_threads(2);
  std::vector<std::int64_t> cells(2);  // [chunk]
  std::int64_t shared = 0;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> arrived{0};
    umbra::parallel_for(2, [&](std::int64_t chunk) {
      cells[static_cast<std::size_t>((chunk + round) % 2)] += 1;
      if (with_race) shared += 1;
      // Neither thread may take both chunks. A relaxed atomic orders nothing, so it cannot hide the race.
      arrived.fetch_add(1, std::memory_order_relaxed);
      while (arrived.load(std::memory_order_relaxed) < 2) {
      }
    });
    shared += cells[0] + cells[1];
  }
  std::printf("sum %lld\n", static_cast<long long>(shared));
}
