#include "engine/dist/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "engine/dist/communicator.h"

namespace umbra {
namespace {

// "node07 1101": of its four cores this process may not use the third.
std::string cores_of_this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string text = std::string(host.data()) + " ";
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) text += CPU_ISSET(core, &set) ? '1' : '0';
  return text;
}

}  // namespace

int fair_threads(const std::vector<CoresOfProcess>& processes, std::size_t own) {
  const CoresOfProcess& process = processes[own];
  double cores = 0;
  for (std::size_t core = 0; core < process.usable.size(); ++core) {
    if (!process.usable[core]) continue;
    const auto shares = std::count_if(processes.begin(), processes.end(), [&](const CoresOfProcess& other) {
      return other.host == process.host && core < other.usable.size() && other.usable[core];
    });
    cores += 1.0 / static_cast<double>(shares);
  }
  constexpr double kRounding = 1e-6;
  return std::max(1, static_cast<int>(cores + kRounding));
}

int fair_threads(Communicator& world) {
  std::vector<CoresOfProcess> processes;
  for (const std::string& text : world.gather(cores_of_this_process())) {
    const std::size_t space = text.rfind(' ');
    processes.push_back({text.substr(0, space), {}});
    for (const char core : text.substr(space + 1)) processes.back().usable.push_back(core == '1');
  }
  return fair_threads(processes, static_cast<std::size_t>(world.rank()));
}

}  // namespace umbra
