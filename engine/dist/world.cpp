#include "engine/dist/world.h"

#include "engine/dist/launch.h"

namespace umbra {

std::unique_ptr<Communicator> make_world() {
  const Launch launch = launched();
  if (launch.size == 1) return std::make_unique<Communicator>();
  return std::make_unique<Communicator>([&] {
    std::unique_ptr<Transport> transport = connect_with_mpi();
    require(transport->size() == launch.size, launch.launcher, " started ", launch.size,
            " processes, but MPI finds ", transport->size(),
            "; start them with the mpirun of the MPI that umbra was built with, or with srun --mpi=pmix");
    return transport;
  });
}

}  // namespace umbra
