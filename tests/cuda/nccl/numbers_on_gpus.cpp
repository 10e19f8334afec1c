#include "engine/ops/elementwise/add.h"
#include "engine/registry/registry.h"
#include "engine/runtime/queue_mark.h"
#include "engine/tensor/tensor.h"
#include "tests/dist/numbers.h"
#include "tests/fixtures/world.h"
#include "tests/parallel/where.h"

namespace umbra {
namespace {

void add(Stream& stream, float* sums, const float* more, std::int64_t count) {
  static const Registry registry = make_registry();
  const Add op(DType::kF32, count);
  const std::array<void*, 3> buffers{sums, const_cast<float*>(more), sums};
  registry.choose(op, Device::Kind::kCuda).run(op, buffers, nullptr, stream);
}

class NumbersOnGpu final : public Numbers {
 public:
  explicit NumbersOnGpu(const std::vector<float>& values)
      : given_(allocate_tensor(stream_.device(), {std::ssize(values)}, DType::kF32)),
        numbers_(allocate_tensor(stream_.device(), {std::ssize(values)}, DType::kF32)) {
    from_host(std::vector<double>(values.begin(), values.end()), given_, stream_);
    copy(given_, numbers_, stream_);  // later
  }
  std::future<void> start_sum() override {
    return world().start_sum(DeviceNumbers{static_cast<float*>(numbers_.data()), numbers_.count(),
                                           std::make_shared<QueueMark>(stream_)},
                             nullptr);
  }
  std::vector<float> values() override {
    const std::vector<double> values = to_host(numbers_, stream_);
    return {values.begin(), values.end()};
  }

 private:
  Stream stream_{device_of_process()};
  Tensor given_, numbers_;
};

}  // namespace

std::unique_ptr<Numbers> make_numbers(const std::vector<float>& values) {
  world().join_devices(device_of_process(), add);
  return std::make_unique<NumbersOnGpu>(values);
}

}  // namespace umbra
