// A program whose processes, each on an emulated GPU, fail on purpose: emulated_faults MODE RANK. It prints what the process
// that reports prints.
//   silent   RANK does not take part in the second sum, and sleeps
//   stuck    RANK takes part, but its GPU never computes the numbers
//   other    RANK adds another number of numbers than the others
//   error    RANK has an error of its own while the others add numbers
#include <iostream>

#include "engine/cuda/emulator/queues.h"
#include "engine/dist/world.h"
#include "engine/tensor/tensor.h"
#include "tests/parallel/where.h"

using namespace umbra;

namespace {

// In place of an addition, which these sums do not need.
void add_nothing(Stream&, float*, const float*, std::int64_t) {}

void add_on_gpus(Communicator& world, Device device, std::int64_t count, bool stuck) {
  Stream stream(device);
  const Tensor numbers = allocate_tensor(device, {count}, DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(count), 1.0), numbers, stream);
  if (stuck) emulator::submit_step(static_cast<emulator::Queue*>(stream.native()), [] { return false; });
  std::future<void> sum = world.start_sum(
      DeviceNumbers{static_cast<float*>(numbers.data()), count, std::make_shared<QueueMark>(stream)},
      nullptr);
  try {
    world.wait(sum);
  } catch (const Error&) {
    if (!stuck) throw;
    std::this_thread::sleep_for(
        std::chrono::seconds(60));  // another process ends the job; the queue never ends
  }
}

void work(Communicator& world, const std::string& mode, int rank) {
  const bool chosen = world.rank() == rank;
  const Device device = device_of_process();
  world.join_devices(device, add_nothing);
  add_on_gpus(world, device, 1000, false);
  if (mode == "silent" && chosen) std::this_thread::sleep_for(std::chrono::seconds(60));
  if (mode == "error" && chosen) fail("galaxies.h5: no such file");
  add_on_gpus(world, device, mode == "other" && chosen ? 2000 : 1000, mode == "stuck" && chosen);
  world.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::unique_ptr<Communicator> world = make_world();
  world->set_timeout(1.5);
  std::string sentence;
  try {
    work(*world, argv[1], std::stoi(argv[2]));
    if (world->first()) std::cout << "done" << std::endl;
    return 0;
  } catch (const JobFailed& failed) {
    if (failed.prints()) sentence = failed.what();
  } catch (const Error& error) {
    sentence = world->end(error.what());
  }
  if (!sentence.empty()) std::cout << "faults: " << sentence << std::endl;
  return 1;
}
