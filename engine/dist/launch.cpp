#include "engine/dist/launch.h"

#include <cstdlib>

namespace umbra {
namespace {

int number_in(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  return end != text && *end == '\0' && number >= 0 && number < 1'000'000 ? static_cast<int>(number)
                                                                          : otherwise;
}

}  // namespace

Launch launched() {
  // A batch script of Slurm has SLURM_NTASKS, but only srun sets the variables of a step.
  constexpr const char* kVariables[][4] = {
      {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "mpirun"},
      {"PMI_SIZE", "PMI_RANK", "MPI_LOCALRANKID", "mpirun"},
      {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_LOCALID", "srun"}};
  Launch alone;  // what started this process alone, if any of them did
  for (const auto& [size, rank, on_machine, launcher] : kVariables) {
    if (std::getenv(size) == nullptr) continue;
    const int processes = number_in(size, 1);
    const int place = number_in(on_machine, number_in("SLURM_LOCALID", 0));  // srun --mpi=pmi2 sets only that
    if (processes > 1) return {number_in(rank, 0), processes, place, launcher};
    // A shell that was started in one process hands its variables to the jobs that are started from it.
    if (alone.launcher.empty()) alone = {0, 1, place, launcher};
  }
  return alone;
}

}  // namespace umbra
