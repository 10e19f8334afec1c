// What launched() reads from the environment.
#include "engine/dist/launch.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

namespace umbra {
namespace {

// This program is not started in several processes with this test.
TEST(Launch, OneProcessOfMpirunIsKnownFromOneThatWasStartedAlone) {
  const auto launched_with = [](const char* variable, const char* value) {
    ::setenv(variable, value, 1);
    const Launch launch = launched();
    ::unsetenv(variable);
    return launch;
  };
  for (const auto& [variable, launcher] : {std::pair{"OMPI_COMM_WORLD_SIZE", "mpirun"},
                                           {"PMI_SIZE", "mpirun"},
                                           {"SLURM_STEP_NUM_TASKS", "srun"},
                                           {"SLURM_NTASKS", ""}}) {
    const Launch one = launched_with(variable, "1"), two = launched_with(variable, "2");
    EXPECT_EQ(one.launcher, launcher) << variable;
    EXPECT_EQ(one.size, 1) << variable;
    EXPECT_EQ(two.size, *launcher == '\0' ? 1 : 2) << variable;
  }
}

// Those of a shell that `srun --pty bash` or `mpirun -np 1 bash` started are in the environment of its jobs, too.
TEST(Launch, VariablesOfOneProcessDoNotHideAJobOfSeveral) {
  for (const auto& [left_over, size, rank, launcher] :
       {std::array{"PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"},
        {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"},
        {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "mpirun"},
        {"SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun"}}) {
    ::setenv(left_over, "1", 1);
    ::setenv(size, "4", 1);
    ::setenv(rank, "3", 1);
    const Launch launch = launched();
    for (const char* variable : {left_over, size, rank}) ::unsetenv(variable);
    EXPECT_EQ(launch.size, 4) << left_over << ' ' << size;
    EXPECT_EQ(launch.rank, 3) << left_over << ' ' << size;
    EXPECT_EQ(launch.launcher, launcher) << left_over << ' ' << size;
  }
}

}  // namespace
}  // namespace umbra
