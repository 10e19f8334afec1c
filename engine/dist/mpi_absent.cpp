// In place of mpi.cpp in a build without MPI.
#include "engine/dist/launch.h"
#include "engine/dist/world.h"

namespace umbra {

std::unique_ptr<Transport> connect_with_mpi() {
  const Launch launch = launched();
  fail(
      launch.launcher, " started ", launch.size,
      " processes, but this build of umbra has no MPI; start one process, or install MPI and build again with "
      "-DUMBRA_MPI=ON");
}

}  // namespace umbra
