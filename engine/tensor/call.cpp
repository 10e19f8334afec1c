#include <array>
#include <chrono>

#include "engine/tensor/context.h"

namespace umbra {
namespace {

constexpr std::size_t kMaxBuffers = 16;

void* checked_pointer(const Op& op, const BufferSpec& spec, const Tensor& tensor, Device device) {
  if (!tensor.defined()) {
    require(spec.count == 0, op.name(), " ", op, ": buffer ", spec.name, " was not given");
    return nullptr;
  }
  require(tensor.dtype() == spec.dtype && tensor.count() == spec.count && tensor.device() == device,
          op.name(), " ", op, ": buffer ", spec.name, " must be ", spec.count, " elements of ",
          name_of(spec.dtype), " on ", name_of(device), ", but it is ", tensor.shape(), " of ",
          name_of(tensor.dtype()), " on ", name_of(tensor.device()));
  return tensor.data();
}

}  // namespace

void call(Context& context, const Op& op, std::span<const Tensor> tensors) {
  const std::vector<BufferSpec> specs = op.buffers();
  require(specs.size() == tensors.size() && specs.size() <= kMaxBuffers, op.name(), " takes ", specs.size(),
          " buffers, not ", tensors.size());
  std::array<void*, kMaxBuffers> pointers{};
  for (std::size_t i = 0; i < specs.size(); ++i) {
    pointers[i] = checked_pointer(op, specs[i], tensors[i], context.device());
  }
  const Kernel& kernel = context.registry.choose(op, context.device().kind);
  const std::size_t bytes = kernel.workspace(op);
  const std::shared_ptr<Storage> workspace = bytes > 0 ? context.arena.take(bytes) : nullptr;
  const Buffers buffers(pointers.data(), specs.size());
  if (!context.observer) {
    kernel.run(op, buffers, workspace ? workspace->data() : nullptr, context.stream);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  kernel.run(op, buffers, workspace ? workspace->data() : nullptr, context.stream);
  context.stream.synchronize();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  context.observer(op, kernel, tensors, elapsed.count());
}

}  // namespace umbra
