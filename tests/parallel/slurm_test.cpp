// tools/slurm/train.sbatch with programs in place of sbatch, srun and scontrol, which record their arguments.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// srun runs the program in one process. If the file `stop` exists it sends SIGTERM after the first step, as Slurm does
// before the time limit.
constexpr const char* kSrun = R"(#!/bin/bash
echo "srun $*" >> "$RECORD"
while [[ $1 == --* ]]; do shift; done
[ -e "$FOLDER/stop" ] || exec "$@"
"$@" & process=$!
until [ -s "$RUN/metrics.csv" ]; do sleep 0.02; done
kill -TERM $process
wait $process
)";
constexpr const char* kSbatch = R"(#!/bin/bash
grep '^#SBATCH' "$1" >> "$RECORD"
export SLURM_JOB_ID=42
export SLURM_CPUS_PER_TASK=$(sed -n 's/^#SBATCH --cpus-per-task=//p' "$1")
module() { echo "module $*$NOT_SET" >> "$RECORD"; }
export -f module
exec bash "$1"
)";
constexpr const char* kScontrol = "#!/bin/bash\necho \"scontrol $*\" >> \"$RECORD\"\n";

class Slurm : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "bin");
    for (const auto& [name, text] :
         {std::pair{"srun", kSrun}, {"sbatch", kSbatch}, {"scontrol", kScontrol}}) {
      std::ofstream(folder_ / "bin" / name) << text;
      fs::permissions(folder_ / "bin" / name, fs::perms::owner_all);
    }
    ASSERT_EQ(run("mock --out " + (folder_ / "mock.h5").string() + " --box-size 75 --seed 3").status, 0);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A job; `variables` are those of the script.
  Outcome submit(const std::string& variables) {
    fs::remove(folder_ / "record");
    return run("cd '" + folder_.string() + "' && export PATH=$PWD/bin:$PATH FOLDER=$PWD RECORD=$PWD/record " +
               "BUILD='" UMBRA_BINARY_DIR "' DATA=mock.h5 RUN=run " + variables +
               " && sbatch '" UMBRA_SOURCE_DIR "/tools/slurm/train.sbatch'");
  }
  std::string record() const { return bytes(folder_ / "record"); }

  fs::path folder_ = fs::path(testing::TempDir()) / ("umbra_slurm_" + std::to_string(getpid()));
  const std::string settings_ = "'device=cpu train.epochs=14 train.batch=4'";
  const std::string config_ = "'--config small.toml'";
};

TEST_F(Slurm, AJobThatIsStoppedIsQueuedAgainAndContinues) {
  std::ofstream(folder_ / "stop") << ' ';
  std::ofstream(folder_ / "small.toml") << "[model]\nchannels = 2\n";
  const Outcome stopped = submit("MODULES='GCC OpenMPI' SETTINGS=" + settings_ + " OPTIONS=" + config_);
  EXPECT_EQ(stopped.status, 143) << stopped.output;
  EXPECT_NE(record().find("#SBATCH --signal=TERM@120\n#SBATCH --requeue\n"), std::string::npos) << record();
  EXPECT_NE(record().find("module load GCC\nmodule load OpenMPI\n"), std::string::npos) << record();
  EXPECT_NE(record().find("tools/train --data mock.h5 --out run device=cpu train.epochs=14 train.batch=4 "
                          "--config small.toml\n"),
            std::string::npos)
      << record();
  EXPECT_NE(record().find("\nsrun --kill-on-bad-exit=1 "), std::string::npos) << record();
  EXPECT_NE(record().find("\nscontrol requeue 42\n"), std::string::npos) << record();

  fs::remove(folder_ / "stop");
  const Outcome lost = submit("BUILD=nowhere SETTINGS=" + settings_);
  EXPECT_EQ(lost.status, 1) << lost.output;
  EXPECT_NE(lost.output.find("nowhere/tools/train: there is no such program"), std::string::npos)
      << lost.output;
  const Outcome finished = submit("SETTINGS=" + settings_ + " OPTIONS=" + config_);
  EXPECT_EQ(finished.status, 0) << finished.output;
  EXPECT_NE(record().find(" train.batch=4 --resume\n"), std::string::npos) << record();
  EXPECT_EQ(record().find("scontrol"), std::string::npos) << record();
  const Outcome whole =
      run("cd '" + folder_.string() + "' && '" UMBRA_BINARY_DIR "/tools/train' --data mock.h5 " +
          "--out whole $(echo " + settings_ + ' ' + config_ + ")");
  EXPECT_EQ(whole.status, 0) << whole.output;
  EXPECT_TRUE(bytes(folder_ / "run/last.h5") == bytes(folder_ / "whole/last.h5"));
}

// It continues the ensemble whose first member has a checkpoint.
TEST_F(Slurm, AJobThatFailsIsNotQueuedAgain) {
  fs::create_directories(folder_ / "ensemble/seed-1");
  std::ofstream(folder_ / "ensemble/seed-1/last.h5") << "no HDF5";
  const Outcome failed = submit("RUN=ensemble");
  EXPECT_EQ(failed.status, 1) << failed.output;
  EXPECT_NE(record().find("--out ensemble --resume\n"), std::string::npos) << record();
  EXPECT_EQ(record().find("scontrol"), std::string::npos) << record();
}

}  // namespace
}  // namespace umbra
