// A program of several processes that end in different ways: ended MODE. Its time-out is 4 s.
//   slow     the first process works for 5 s while the others wait
//   busy     the last process has an error while the first one, which should print it, works for ten minutes
//   stopped  all processes stop after a signal
//   absent   the others wait for the first process, which does not meet them
#include <iostream>

#include "engine/dist/launch.h"
#include "tools/common/processes.h"
#include "tools/common/tool.h"

using namespace umbra;

namespace {

void work(Communicator& world, const std::string& mode) {
  const auto sleep = [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  };
  world.set_timeout(4);
  if (mode == "slow") first_process(world, [&] { sleep(5); });
  if (mode == "busy") {
    take_time(world, [&] {
      require(world.rank() != world.size() - 1, "galaxies.h5: no such file");
      sleep(world.first() ? 600 : 0);
    });
  }
  if (mode == "stopped") throw Stopped(15, "stopped by a signal");
  if (world.first()) std::cout << "ended: done" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const bool absent = std::string(argv[1]) == "absent";
    if (absent && launched().rank == 0) std::this_thread::sleep_for(std::chrono::minutes(10));
    run_processes("ended", {argv[1]}, [&](Communicator& world) { work(world, argv[1]); });
  } catch (const Reported& reported) {
    return reported.status();
  }
  return 0;
}
