// What launched() reads from the environment.
#include "engine/dist/launch.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace umbra
