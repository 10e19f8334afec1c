// A training on two hosts, each with a network and a host name of its own (hosts.sh). Needs root; skipped otherwise.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::mpirun;
using testing_tools::Outcome;
using testing_tools::run;

TEST(Hosts, TwoHaveTheBitsOfOneAndOneThatIsCutOffIsNamed) {
  if (!testing_tools::can_mpirun()) GTEST_SKIP() << "this build has no mpirun of Open MPI";
  const fs::path folder = fs::path(testing::TempDir()) / ("umbra_hosts_" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string data = (folder / "mock.h5").string();
  ASSERT_EQ(run("mock --out " + data + " --box-size 75 --seed 3").status, 0);
  const Outcome hosts =
      run(UMBRA_SOURCE_DIR "/tests/parallel/hosts.sh " UMBRA_MPIRUN " " UMBRA_BINARY_DIR "/tools/train " +
          data + " " + folder.string());
  if (hosts.status == 77) {
    fs::remove_all(folder);
    GTEST_SKIP() << hosts.output;
  }
  EXPECT_EQ(hosts.status, 0) << hosts.output;
  EXPECT_NE(hosts.output.find("two hosts: status 0\n"), std::string::npos)
      << hosts.output << bytes(folder / "hosts.txt");
  EXPECT_EQ(mpirun(2, "train --data " + data + " --out " + (folder / "here").string() +
                          " model.channels=4 train.batch=8 train.epochs=2")
                .status,
            0);
  EXPECT_TRUE(bytes(folder / "hosts/last.h5") == bytes(folder / "here/last.h5"));
  EXPECT_NE(hosts.output.find("train: rank 1 on node2 has not answered for 5 s\n"), std::string::npos)
      << hosts.output << bytes(folder / "cut.txt");
  const std::size_t ended = hosts.output.find("one cut off: ended after ");
  ASSERT_NE(ended, std::string::npos) << hosts.output;
  EXPECT_LT(std::stoi(hosts.output.substr(ended + 25)), 30) << hosts.output;
  fs::remove_all(folder);
}

}  // namespace
}  // namespace umbra
