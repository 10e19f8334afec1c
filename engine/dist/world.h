// The processes that mpirun or srun started together.
#pragma once

#include "engine/dist/communicator.h"

namespace umbra {

/// A communicator of all processes that were started together with this one. A process that was started alone gets one
/// without MPI. Throws Error if the build has no MPI, or if MPI does not find the processes of the launcher.
std::unique_ptr<Communicator> make_world();

/// The messages of MPI. To be called once, and destroyed, in one thread. Throws Error in a build without MPI.
std::unique_ptr<Transport> connect_with_mpi();

}  // namespace umbra
