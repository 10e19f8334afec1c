// A process that fails on a GPU ends the job on all processes, and one of them prints one sentence that names it.
#include "tests/fixtures/faults.h"

namespace umbra {
namespace {

using testing_tools::host;

std::string sentence_of(const std::string& mode, int rank, const std::string& options = "") {
  return testing_tools::sentence_of("cuda/nccl/emulated_faults", mode, rank, options);
}

TEST(EmulatedFaults, ARankThatDoesNotAnswerIsNamed) {
  EXPECT_EQ(sentence_of("silent", 1), concat("rank 1 on ", host(), " has not answered for 4 s"));
}

TEST(EmulatedFaults, ARankThatIsKilledDuringASumIsNamed) {
  EXPECT_EQ(sentence_of("kill", 1, "--enable-recovery"),
            concat("rank 1 on ", host(), " has not answered for 4 s"));
}

// It has an error of its own while the process with the lowest rank waits for answers.
TEST(EmulatedFaults, AnErrorThatFollowsIsNotLost) {
  EXPECT_EQ(sentence_of("both", 1, "--enable-recovery"),
            concat("rank 2 on ", host(), ": galaxies.h5: no such file"));
}

// The others see only that it closes its connections.
TEST(EmulatedFaults, AnErrorOfNcclIsThatOfTheProcessThatHasIt) {
  EXPECT_EQ(sentence_of("cuda", 2),
            concat("rank 2 on ", host(),
                   ": NCCL: a message failed: unhandled cuda error (an illegal memory "
                   "access was encountered)"));
}

// The others end the job with an error, and do not wait for it.
TEST(EmulatedFaults, AProcessThatDoesNotLeaveIsNotWaitedFor) {
  EXPECT_EQ(sentence_of("stays", 1), "done");
}

// Their work is done.
TEST(EmulatedFaults, AnErrorOfNcclWhileProcessesLeaveDoesNotFailTheJob) {
  const testing_tools::Outcome ended =
      testing_tools::mpirun(3, UMBRA_BINARY_DIR "/tests/cuda/nccl/emulated_faults leaves 1");
  EXPECT_EQ(ended.status, 0) << ended.output;
}

// All answer, and any of them may be the first to notice it.
TEST(EmulatedFaults, AGpuThatDoesNotEndIsNoticed) {
  const std::string sentence = sentence_of("stuck", 2);
  EXPECT_NE(sentence.find(": NCCL has not finished for 4 s an operation that all processes have begun"),
            std::string::npos)
      << sentence;
}

TEST(EmulatedFaults, AnErrorOfNcclIsReported) {
  const std::string sentence = sentence_of("other", 2);
  EXPECT_NE(sentence.find(": NCCL: a message failed: invalid usage (rank "), std::string::npos) << sentence;
}

TEST(EmulatedFaults, AnErrorOfARankEndsTheSumsOfTheOthers) {
  EXPECT_EQ(sentence_of("error", 1), concat("rank 1 on ", host(), ": galaxies.h5: no such file"));
}

// As above.
TEST(EmulatedFaults, TheErrorOfAGpuIsReportedAndNotWhatFollowsFromIt) {
  EXPECT_EQ(sentence_of("memory", 1), concat("rank 1 on ", host(), ": device cuda:0 is out of memory"));
}

}  // namespace
}  // namespace umbra
