// If a tensor map is refused, the op whose kernel needs it throws an Error that names the map, no kernel runs,
// and the next op runs normally.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuda_grid.h"
#include "engine/base/error.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/runtime/backend.h"
#include "engine/tensor/context.h"
#include "tma.h"

namespace umbra {
namespace {

int started = 0;

void takes_a_map(const TensorMap&) {
  ++started;
}

void relu_with_a_bad_map(const ReluForward&, Buffers buffers, void*, Stream& stream) {
  const TensorMapSpec good{buffers[0], 4, 2, {16, 2}, {64}, {8, 2}, Swizzle::k32};
  TensorMapSpec bad = good;
  bad.box[1] = 257;
  launch(takes_a_map, {{1}, {32}}, stream.native(), tensor_map(bad));
  launch(takes_a_map, {{1}, {32}}, stream.native(), tensor_map(good));  // not launched either
}

TEST(RefusedMap, IsAnErrorThatNamesTheOpAndLaunchesNothing) {
  const Device device{Device::Kind::kCuda, 0};
  Registry registry = make_registry();
  registry.add(make_kernel<ReluForward, relu_with_a_bad_map>("cuda_9_refused", DType::kF32, device.kind));
  Context context(registry, device);
  const Tensor x = allocate_tensor(device, {32}, DType::kF32), y = allocate_tensor(device, {32}, DType::kF32);
  from_host(std::vector<double>(32, 1.0), x, context.stream);
  std::string message;
  try {
    call(context, ReluForward(DType::kF32, 32), {x, y});
  } catch (const Error& error) {
    message = error.what();
  }
  for (const char* part : {"relu_forward (", "rung cuda_9_refused) on cuda",
                           "a tensor map of 16 x 2 elements of 4 bytes", "a box of 257 in dimension 1"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(started, 0);
  EXPECT_EQ(cuda_backend().launch_error(0), "");

  const Registry sound = make_registry();
  Context next(sound, device);
  call(next, ReluForward(DType::kF32, 32), {x, y});
  EXPECT_EQ(to_host(y, next.stream), std::vector<double>(32, 1.0));
}

}  // namespace
}  // namespace umbra
