// Reads one element past a buffer, inside a parallel loop. ctest passes when AddressSanitizer reports it.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "engine/cpu/parallel.h"

int main(int argc, char**) {
  const std::vector<float> values(64, 1.0f);  // [64]
  std::vector<float> copy(65);
  const float* from = values.data();
  umbra::parallel_for(64 + argc, [&](std::int64_t i) { copy[static_cast<std::size_t>(i)] = from[i]; });
  std::printf("last %g\n", static_cast<double>(copy[64]));
}
