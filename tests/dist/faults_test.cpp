// A process that fails ends the job on all processes, and one of them prints one sentence that names it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "engine/base/error.h"
#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

using testing_tools::can_mpirun;
using testing_tools::mpirun;
using testing_tools::Outcome;

struct Job {
  int status;
  std::vector<std::string> sentences;  // lines of the program itself
  std::string output;
  double seconds;
};

Job run_faults(const std::string& mode, int rank, const std::string& options = "") {
  const auto start = std::chrono::steady_clock::now();
  const Outcome ended = mpirun(3, concat(UMBRA_BINARY_DIR, "/tests/dist_faults ", mode, " ", rank), options);
  Job job{ended.status, {}, ended.output, 0};
  std::istringstream in(ended.output);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("faults: ")) job.sentences.push_back(line);
  job.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return job;
}

std::string host() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

class Faults : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_mpirun()) GTEST_SKIP() << "this build has no mpirun of Open MPI";
  }
};

TEST_F(Faults, ARankThatDoesNotAnswerIsNamed) {
  const Job job = run_faults("silent", 0);
  EXPECT_NE(job.status, 0);
  EXPECT_EQ(job.sentences, std::vector{concat("faults: rank 0 on ", host(), " has not answered for 1.5 s")})
      << job.output;
  EXPECT_LT(job.seconds, 20);
}

// mpirun would end the job by itself at once, unless it is asked to leave that to the program, as srun does.
TEST_F(Faults, ARankThatIsKilledIsNamed) {
  const Job job = run_faults("kill", 1, "--enable-recovery");
  EXPECT_EQ(job.sentences, std::vector{concat("faults: rank 1 on ", host(), " has not answered for 1.5 s")})
      << job.output;
  EXPECT_LT(job.seconds, 20);
}

TEST_F(Faults, AnErrorOfOneRankIsPrintedOnceWithItsName) {
  for (const int rank : {0, 1}) {
    const Job job = run_faults("error", rank);
    EXPECT_NE(job.status, 0);
    EXPECT_EQ(job.sentences,
              std::vector{concat("faults: rank ", rank, " on ", host(), ": galaxies.h5: no such file")})
        << job.output;
  }
}

TEST_F(Faults, AnErrorOfAllRanksIsPrintedOnceWithoutAName) {
  const Job job = run_faults("all", 0);
  EXPECT_NE(job.status, 0);
  EXPECT_EQ(job.sentences, std::vector<std::string>{"faults: galaxies.h5: no such file"}) << job.output;
}

}  // namespace
}  // namespace umbra
