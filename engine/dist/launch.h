// What the environment says about the processes that mpirun or srun started together. It is read without MPI, so that a
// program that was started alone never initialises MPI.
#pragma once

#include <string>

namespace umbra {

/// The place of this process among those that were started together.
struct Launch {
  int rank = 0;               ///< from 0 to size - 1
  int size = 1;               ///< number of processes; 1: this one was started alone
  int on_machine = 0;         ///< place among those on its machine, from 0
  std::string launcher = "";  ///< "mpirun" or "srun"; empty if neither started it
};

/// The place of this process, from the variables that Open MPI's mpirun, launchers with PMI, and Slurm's srun set.
Launch launched();

}  // namespace umbra
