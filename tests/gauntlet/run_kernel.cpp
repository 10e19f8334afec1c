#include "tests/gauntlet/run_kernel.h"

#include <omp.h>

#include <memory>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"
#include "tests/gauntlet/encoding.h"
#include "tests/gauntlet/guarded_memory.h"

namespace umbra::gauntlet {
namespace {

/// The buffers of a call as they were before it.
struct Memory {
  std::vector<std::unique_ptr<GuardedMemory>> buffers;
  std::vector<std::vector<std::byte>> before;
  std::vector<void*> pointers;
};

Memory make_memory(Stream& stream, const std::vector<BufferSpec>& specs, const Values& inputs,
                   const Setting& setting) {
  Memory memory;
  for (std::size_t b = 0; b < specs.size(); ++b) {
    const std::size_t size = size_of(specs[b].dtype), bytes = static_cast<std::size_t>(specs[b].count) * size;
    const std::size_t shift = setting.shifted ? size : 0;
    memory.buffers.push_back(std::make_unique<GuardedMemory>(stream, bytes, shift, setting.poison));
    GuardedMemory& buffer = *memory.buffers.back();
    if (specs[b].access != Access::kOut) encode(specs[b].dtype, inputs[b], buffer.data());
    memory.before.emplace_back(buffer.data(), buffer.data() + bytes);
    buffer.upload();
    memory.pointers.push_back(buffer.device_data());
  }
  return memory;
}

/// The contents after the call.
Outcome look_at(const std::vector<BufferSpec>& specs, Memory& memory, GuardedMemory& workspace) {
  Outcome outcome;
  workspace.download();
  if (!workspace.guards_intact()) outcome.violation = "wrote outside its workspace";
  for (std::size_t b = 0; b < specs.size(); ++b) {
    GuardedMemory& buffer = *memory.buffers[b];
    const std::vector<std::byte>& before = memory.before[b];
    buffer.download();
    if (!buffer.guards_intact()) outcome.violation = concat("wrote outside the buffer ", specs[b].name);
    const std::vector<std::byte> after(buffer.data(), buffer.data() + before.size());
    const bool is_input = specs[b].access == Access::kIn;
    if (is_input && after != before) outcome.violation = concat("changed the input ", specs[b].name);
    outcome.outputs.push_back(is_input ? std::vector<std::byte>() : after);
  }
  return outcome;
}

}  // namespace

std::string Setting::text() const {
  return concat("threads=", threads, shifted ? " shifted" : "", poison == kNanPoison ? "" : " other-garbage");
}

Outcome run_kernel(const Kernel& kernel, const Op& op, const Values& inputs, const Setting& setting,
                   SetSchedule set_schedule) {
  const std::vector<BufferSpec> specs = op.buffers();
  const Device device{kernel.device, 0};
  Stream stream(device);
  Memory memory = make_memory(stream, specs, inputs, setting);
  GuardedMemory workspace(stream, kernel.workspace(op), 0, setting.poison);
  workspace.upload();
  if (device.kind == Device::Kind::kCpu) omp_set_num_threads(setting.threads);
  if (device.kind != Device::Kind::kCpu && set_schedule != nullptr) set_schedule(setting.threads - 1);
  kernel.run(op, memory.pointers, workspace.device_data(), stream);
  const std::string error = backend_of(device.kind).launch_error(device.index);
  require(error.empty(), op.name(), " ", op, ": ", error);
  stream.synchronize();
  return look_at(specs, memory, workspace);
}

Values decoded(const Op& op, const Outcome& outcome) {
  const std::vector<BufferSpec> specs = op.buffers();
  Values values(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    values[b] = decode(specs[b].dtype, outcome.outputs[b].data(), static_cast<std::size_t>(specs[b].count));
  }
  return values;
}

Values reference_values(const Kernel& reference, const Op& op64, const Values& inputs) {
  const std::vector<BufferSpec> specs = op64.buffers();
  std::vector<std::vector<std::byte>> memory(specs.size());
  std::vector<void*> pointers;
  for (std::size_t b = 0; b < specs.size(); ++b) {
    memory[b].assign(static_cast<std::size_t>(specs[b].count) * size_of(specs[b].dtype), kNanPoison);
    if (specs[b].access != Access::kOut) encode(specs[b].dtype, inputs[b], memory[b].data());
    pointers.push_back(memory[b].empty() ? nullptr : memory[b].data());
  }
  std::vector<std::byte> workspace(reference.workspace(op64));
  Stream stream{Device{}};
  reference.run(op64, pointers, workspace.data(), stream);
  Values values(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kIn) continue;
    values[b] = decode(specs[b].dtype, memory[b].data(), static_cast<std::size_t>(specs[b].count));
  }
  return values;
}

}  // namespace umbra::gauntlet
