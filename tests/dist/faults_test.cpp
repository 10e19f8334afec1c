// A process that fails ends the job on all processes, and one of them prints one sentence that names it.
#include "tests/fixtures/faults.h"

namespace umbra {
namespace {

using testing_tools::host;
using testing_tools::sentence_of;

class Faults : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_tools::can_mpirun()) GTEST_SKIP() << "this build has no mpirun of Open MPI";
  }
};

TEST_F(Faults, ARankThatDoesNotAnswerIsNamed) {
  EXPECT_EQ(sentence_of("dist_faults", "silent", 0),
            concat("rank 0 on ", host(), " has not answered for 4 s"));
}

// mpirun would end the job by itself at once, unless it is asked to leave that to the program, as srun does.
TEST_F(Faults, ARankThatIsKilledIsNamed) {
  EXPECT_EQ(sentence_of("dist_faults", "kill", 1, "--enable-recovery"),
            concat("rank 1 on ", host(), " has not answered for 4 s"));
}

TEST_F(Faults, AnErrorOfOneRankIsPrintedOnceWithItsName) {
  for (const int rank : {0, 1}) {
    EXPECT_EQ(sentence_of("dist_faults", "error", rank),
              concat("rank ", rank, " on ", host(), ": galaxies.h5: no such file"));
  }
}

TEST_F(Faults, AnErrorOfAllRanksIsPrintedOnceWithoutAName) {
  EXPECT_EQ(sentence_of("dist_faults", "all", 0), "galaxies.h5: no such file");
}

}  // namespace
}  // namespace umbra
