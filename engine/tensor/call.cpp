#include "engine/runtime/backend.h"
#include "engine/tensor/context.h"

namespace umbra {
namespace {

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

// Queues the kernel. Throws Error with the op's name when the device refuses the launch.
void run(Context& context, const Op& op, const Kernel& kernel, Buffers buffers, void* workspace) {
  const Device device = context.device();
  const Backend& backend = backend_of(device.kind);
  backend.select(device.index);
  kernel.run(op, buffers, workspace, context.stream);
  const std::string error = backend.launch_error(device.index);
  require(error.empty(), op.name(), " (", op, ", rung ", kernel.rung, ") on ", name_of(device), ": ", error);
}

}  // namespace

void call(Context& context, const Op& op, std::span<const Tensor> tensors) {
  const std::vector<BufferSpec> specs = op.buffers();
  require(specs.size() == tensors.size(), op.name(), " takes ", specs.size(), " buffers, not ",
          tensors.size());
  std::vector<void*> pointers(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    pointers[i] = checked_pointer(op, specs[i], tensors[i], context.device());
  }
  const Kernel& kernel = context.registry.choose(op, context.device().kind);
  const std::size_t bytes = kernel.workspace(op);
  const std::shared_ptr<Storage> workspace = bytes > 0 ? context.arena.take(bytes) : nullptr;
  void* const scratch = workspace ? workspace->data() : nullptr;
  if (!context.observer) {
    run(context, op, kernel, pointers, scratch);
    return;
  }
  const Backend& backend = backend_of(context.device().kind);
  const Event start(context.device()), end(context.device());
  backend.begin_range(std::string(op.name()).c_str());
  start.record(context.stream);
  run(context, op, kernel, pointers, scratch);
  end.record(context.stream);
  context.stream.synchronize();
  backend.end_range();
  context.observer(op, kernel, tensors, seconds_between(start, end));
}

}  // namespace umbra
