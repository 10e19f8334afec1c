// The cores that the processes of a job use: without a word from the user each would start a thread for every core that it
// may use, also where mpirun lets all processes of a host use all of them.
#pragma once

#include <string>
#include <vector>

namespace umbra {

class Communicator;

/// What a process may use.
struct CoresOfProcess {
  std::string host;          ///< its name
  std::vector<bool> usable;  ///< by number of the core
};

/// A fair number of threads for one of these processes: its part of every core that it may use, which is equal for all
/// processes of the same host that may use that core; at least 1.
int fair_threads(const std::vector<CoresOfProcess>& processes, std::size_t own);

/// The same for this process of a job. All processes call it. Throws JobFailed.
int fair_threads(Communicator& world);

}  // namespace umbra
