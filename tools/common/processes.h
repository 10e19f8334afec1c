// A tool that mpirun or srun starts in several processes. The first one prints and writes; all end together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/dist/world.h"

namespace umbra {

/// Calls `body` with all processes that were started together. An error of one ends all: one sentence is printed, which
/// begins with the name `tool` and says on which rank and host it happened, unless all processes have the same error.
/// Different `arguments` (words of the command line) are an error, except for the value of --data, which may have another
/// place on every machine, and so is a process that does not call this function within ten minutes, or the seconds in
/// the environment variable UMBRA_MEETING_TIMEOUT. Only the first process has a standard output. Without OMP_NUM_THREADS
/// processes on the same cores have fewer threads.
void run_processes(const std::string& tool, const std::vector<std::string>& arguments,
                   const std::function<void(Communicator&)>& body);

/// Calls `body`, which does not use `world`, and waits until all processes have done so. Each answers the others meanwhile:
/// it may take longer than the time-out. Throws what `body` throws; the other processes then throw JobFailed.
void take_time(Communicator& world, const std::function<void()>& body);

/// The same in the first process alone, whose Error all throw.
void first_process(Communicator& world, const std::function<void()>& body);

}  // namespace umbra
