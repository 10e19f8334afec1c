// With CUDA linked, on a GPU or emulated, the registry contains every line of engine/ops/ladder.def.
#include "tests/fixtures/ladder_lines.h"

namespace umbra {
namespace {

TEST(CudaLadderList, IsWhatTheRegistryHolds) {
  expect_what_is_listed(make_registry(), true);
}

}  // namespace
}  // namespace umbra
