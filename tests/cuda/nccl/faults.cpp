// A program whose processes, each on an emulated GPU, fail on purpose (tests/fixtures/failing.h): emulated_faults MODE RANK.
// Its processes add numbers twice; RANK fails the second time.
//   silent   it does not take part, and sleeps
//   stuck    it takes part, but its GPU never computes the numbers
//   other    it adds another number of numbers than the others
//   error    it has an error of its own while the others add
//   memory   it has no memory left on its GPU to add
//   kill     it ends itself with SIGKILL while it adds
//   cuda     its NCCL reports an error of CUDA while it adds
//   both     as kill, and the last process has an error of its own while the others are asked whether they are there
//   stays    it adds, but does not leave
//   leaves   its NCCL reports an error of CUDA while all leave
#include <csignal>
#include <cstdlib>

#include "engine/cuda/emulator/queues.h"
#include "engine/tensor/tensor.h"
#include "tests/fixtures/failing.h"
#include "tests/parallel/where.h"

using namespace umbra;

namespace {

void sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// `mode` is empty where the process does not fail.
void add_on_gpus(Communicator& world, Device device, std::int64_t count, const std::string& mode) {
  static std::vector<std::shared_ptr<void>> kept;  // to free it would wait for what is queued
  Stream stream(device);
  const Tensor numbers = allocate_tensor(device, {count}, DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(count), 1.0), numbers, stream);
  const bool stuck = mode == "stuck";
  if (stuck) emulator::submit_step(static_cast<emulator::Queue*>(stream.native()), [] { return false; });
  std::future<void> sum = world.start_sum(
      DeviceNumbers{static_cast<float*>(numbers.data()), count, std::make_shared<QueueMark>(stream)},
      nullptr);
  if (mode == "both") {
    kept.push_back(std::make_shared<Tensor>(numbers));
    sleep(0.2);
    fail("galaxies.h5: no such file");
  }
  try {
    world.wait(sum);
  } catch (const Error&) {
    if (!stuck) throw;
    sleep(600);  // another process ends the job; the queue never ends
  }
}

void work(Communicator& world, const std::string& mode, bool chosen) {
  const Device device = device_of_process();
  const auto fails = std::make_shared<std::string>();  // the mode, from the second time on
  // In place of an addition, which these sums do not need.
  world.join_devices(device, [fails](Stream&, float*, const float*, std::int64_t) {
    require(*fails != "memory", "device cuda:0 is out of memory");
    if (*fails == "kill" || *fails == "both") std::raise(SIGKILL);
    if (*fails == "cuda") ::setenv("UMBRA_STAND_IN_FAILS", "1", 1);
  });
  add_on_gpus(world, device, 1000, "");
  world.barrier();
  if (mode == "silent" || mode == "stuck" || mode == "kill" || mode == "stays" || mode == "leaves")
    world.set_timeout(4);
  if (chosen) *fails = mode;
  if (*fails == "silent") sleep(600);
  require(*fails != "error", "galaxies.h5: no such file");
  const bool last = world.rank() == world.size() - 1;
  add_on_gpus(world, device, *fails == "other" ? 2000 : 1000, mode == "both" && last ? mode : *fails);
  world.barrier();
  if (*fails == "stays") sleep(600);
  if (*fails == "leaves") ::setenv("UMBRA_STAND_IN_FAILS", "1", 1);
}

}  // namespace

int main(int argc, char** argv) {
  return fail_on_purpose(argc, argv, work);
}
