// A program whose processes, each on an emulated GPU, fail on purpose (tests/fixtures/failing.h): emulated_faults MODE RANK.
// Its processes add numbers twice; RANK fails the second time.
//   silent   it does not take part, and sleeps
//   stuck    it takes part, but its GPU never computes the numbers
//   other    it adds another number of numbers than the others
//   error    it has an error of its own while the others add
//   memory   it has no memory left on its GPU to add
//   kill     it ends itself with SIGKILL while it adds
#include <csignal>

#include "engine/cuda/emulator/queues.h"
#include "engine/tensor/tensor.h"
#include "tests/fixtures/failing.h"
#include "tests/parallel/where.h"

using namespace umbra;

namespace {

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
        std::chrono::minutes(10));  // another process ends the job; the queue never ends
  }
}

void work(Communicator& world, const std::string& mode, bool chosen) {
  const Device device = device_of_process();
  const auto fails = std::make_shared<std::string>();  // the mode, from the second time on
  // In place of an addition, which these sums do not need.
  world.join_devices(device, [fails](Stream&, float*, const float*, std::int64_t) {
    require(*fails != "memory", "device cuda:0 is out of memory");
    if (*fails == "kill") std::raise(SIGKILL);
  });
  add_on_gpus(world, device, 1000, false);
  world.barrier();
  if (mode == "silent" || mode == "stuck" || mode == "kill") world.set_timeout(4);
  if (chosen) *fails = mode;
  if (*fails == "silent") std::this_thread::sleep_for(std::chrono::minutes(10));
  require(*fails != "error", "galaxies.h5: no such file");
  add_on_gpus(world, device, *fails == "other" ? 2000 : 1000, *fails == "stuck");
  world.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  return fail_on_purpose(argc, argv, work);
}
