// A process that fails on a GPU ends the job on all processes, and one of them prints one sentence.
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "engine/base/error.h"
#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

struct Job {
  int status;
  std::vector<std::string> sentences;  // lines of the program itself
  std::string output;
};

Job run_faults(const std::string& mode, int rank) {
  const testing_tools::Outcome ended = testing_tools::mpirun(
      3, concat(UMBRA_BINARY_DIR, "/tests/cuda/nccl/emulated_faults ", mode, " ", rank));
  Job job{ended.status, {}, ended.output};
  std::istringstream in(ended.output);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("faults: ") || line == "done") job.sentences.push_back(line);
  return job;
}

std::string host() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

void expect_sentence(const std::string& mode, int rank, const std::string& sentence) {
  const Job job = run_faults(mode, rank);
  EXPECT_NE(job.status, 0) << job.output;
  ASSERT_EQ(job.sentences.size(), 1U) << job.output;
  EXPECT_NE(job.sentences[0].find(sentence), std::string::npos) << sentence << "\n" << job.output;
}

TEST(EmulatedFaults, ARankThatDoesNotAnswerIsNamed) {
  expect_sentence("silent", 1, concat("faults: rank 1 on ", host(), " has not answered for 1.5 s"));
}

TEST(EmulatedFaults, AGpuThatDoesNotEndIsNoticed) {
  expect_sentence("stuck", 2, "NCCL has not finished for 1.5 s an operation that all processes have begun");
}

TEST(EmulatedFaults, AnErrorOfNcclIsReported) {
  expect_sentence("other", 2, "NCCL: a message failed: invalid usage (rank ");
}

TEST(EmulatedFaults, AnErrorOfARankEndsTheSumsOfTheOthers) {
  expect_sentence("error", 1, concat("faults: rank 1 on ", host(), ": galaxies.h5: no such file"));
}

}  // namespace
}  // namespace umbra
