// A program whose processes fail on purpose: faults MODE RANK. It prints what the process that reports prints.
//   silent   RANK does not take part in the second barrier, and sleeps
//   kill     RANK ends itself with SIGKILL
//   error    RANK has an error of its own while the others add numbers
//   all      every process has the same error
#include <csignal>
#include <iostream>

#include "engine/dist/world.h"

using namespace umbra;

namespace {

void work(Communicator& world, const std::string& mode, int rank) {
  const bool chosen = world.rank() == rank;
  world.barrier();
  if (mode == "silent" && chosen) std::this_thread::sleep_for(std::chrono::seconds(60));
  if (mode == "kill" && chosen) std::raise(SIGKILL);
  if ((mode == "error" && chosen) || mode == "all") fail("galaxies.h5: no such file");
  std::vector<float> numbers(100'000, 1.0F);
  std::future<void> sum = world.start_sum(numbers, nullptr);
  world.wait(sum);
  world.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::unique_ptr<Communicator> world = make_world();
  const std::string mode = argv[1];
  if (mode == "silent" || mode == "kill") world->set_timeout(1.5);
  std::string sentence;
  try {
    work(*world, mode, std::stoi(argv[2]));
    return 0;
  } catch (const JobFailed& failed) {
    if (failed.prints()) sentence = failed.what();
  } catch (const Error& error) {
    sentence = world->end(error.what());
  }
  if (!sentence.empty()) std::cout << "faults: " << sentence << std::endl;
  return 1;
}
