// Checkpoints of a network on the emulated GPU, whose queue is deferred: they have the state of their place in the queue.
#include <gtest/gtest.h>

#include "engine/cuda/emulator/queues.h"
#include "engine/io/hdf5.h"
#include "engine/nn/layers.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/train/checkpointer.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

using EmulatedCheckpoint = FileTest;

TEST_F(EmulatedCheckpoint, HasTheStateOfItsPlaceInTheQueue) {
  const Device device{Device::Kind::kCuda, 0};
  const Registry registry = make_registry();
  emulator::defer_queues(true);
  Context context(registry, device);
  emulator::defer_queues(false);
  Build build{.device = device};
  Linear net(build, 8, 4);
  const auto adam = make_adam(net.parameters(), {});
  const auto fill = [&](double number) {
    for (const auto& state : {net.state(), adam->state()})
      for (const NamedTensor& named : state)
        call(context, SetValue(DType::kF32, named.tensor.count(), number),
             {named.tensor.elements(0, named.tensor.count())});
  };
  Checkpointer keeper(folder_, context.stream, net, *adam, {}, 0, [] { return false; });
  for (const int step : {1, 2}) {
    fill(step);
    keeper.on_step_done({.step = step}, true);
    fill(7);
    keeper.on_end();
    const Hdf5File file = Hdf5File::open(path("last.h5"));
    for (const std::string group : {"model", "optimizer"})
      for (const Hdf5Entry& entry : file.list(group))
        for (const float number : file.read<float>(group + "/" + entry.name))
          ASSERT_EQ(number, static_cast<float>(step)) << entry.name;
  }
}

}  // namespace
}  // namespace umbra
