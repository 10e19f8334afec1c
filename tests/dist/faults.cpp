// A program whose processes fail on purpose (tests/fixtures/failing.h): dist_faults MODE RANK.
//   silent   RANK does not take part in the second barrier, and sleeps
//   kill     RANK ends itself with SIGKILL
//   error    RANK has an error of its own while the others add numbers
//   all      every process has the same error
#include <csignal>

#include "tests/fixtures/failing.h"

using namespace umbra;

int main(int argc, char** argv) {
  return fail_on_purpose(argc, argv, [](Communicator& world, const std::string& mode, bool chosen) {
    world.barrier();
    if (mode == "silent" || mode == "kill") world.set_timeout(4);
    if (mode == "silent" && chosen) std::this_thread::sleep_for(std::chrono::minutes(10));
    if (mode == "kill" && chosen) std::raise(SIGKILL);
    if ((mode == "error" && chosen) || mode == "all") fail("galaxies.h5: no such file");
    std::vector<float> numbers(100'000, 1.0F);
    std::future<void> sum = world.start_sum(numbers, nullptr);
    world.wait(sum);
    world.barrier();
  });
}
