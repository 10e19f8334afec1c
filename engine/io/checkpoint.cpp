#include "engine/io/checkpoint.h"

#include <algorithm>

#include "engine/io/hdf5.h"

namespace umbra {
namespace {

std::string object_in(const std::string& group, const std::string& name) {
  return group + "/" + name;
}

void write_group(Hdf5File& file, const std::string& group, const std::vector<NamedTensor>& tensors) {
  file.make_group(group);
  for (const auto& [name, tensor] : tensors) {
    const std::string object = object_in(group, name);
    Stream stream(tensor.device());
    const Tensor host = row_major_on_host(tensor, stream);
    with_element(host.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_same_v<T, Bf16>) {
        fail(file.path().string(), ": ", object, " is stored as bf16 for inference and cannot be saved");
      } else {
        file.write<T>(object, std::span<const T>(host.values<T>()), host.shape());
      }
    });
  }
}

// The names and shapes in `group` must be exactly those of `tensors`.
void check_group(const Hdf5File& file, const std::string& group, const std::vector<NamedTensor>& tensors) {
  const std::string where = file.path().string();
  require(file.has_group(group), where, ": group ", group,
          " is missing: this is not a checkpoint of umbra that can be used here");
  for (const auto& [name, tensor] : tensors) {
    const std::string object = object_in(group, name);
    require(file.has_dataset(object), where, ": ", object,
            " is missing: this is the checkpoint of another network");
    const Hdf5Entry entry = file.describe(object);
    require(entry.shape == tensor.shape(), where, ": ", object, " has shape ", entry.shape.text(), ", but ",
            tensor.shape().text(), " is expected: this is the checkpoint of another network");
  }
  require(file.list(group).size() == tensors.size(), where, ": ", group, " holds ", file.list(group).size(),
          " tensors, but ", tensors.size(), " are expected: this is the checkpoint of another network");
}

constexpr std::int64_t kPart = 1 << 18;  // numbers read at a time: 1 MiB, a chunk of files written here

// A tensor of tens of MB, including its dead taps, is not held in memory twice: it is read in parts along its
// first axis.
void read_parts(const Hdf5File& file, const std::string& object, const Tensor& target) {
  const bool direct = target.device().kind == Device::Kind::kCpu;
  const Tensor host = direct ? target : allocate_tensor({}, target.shape(), target.dtype(), target.layout());
  const Shape& shape = host.shape();
  const std::int64_t row = shape.count_from(1), rows = std::clamp<std::int64_t>(kPart / row, 1, shape[0]);
  std::vector<float> part(static_cast<std::size_t>(rows * row));
  for (std::int64_t first = 0; first < shape[0]; first += rows) {
    const std::int64_t count = std::min(rows, shape[0] - first);
    const std::span<float> numbers = std::span(part).first(static_cast<std::size_t>(count * row));
    file.read_rows<float>(object, first, numbers);
    assign_rows(host, first, numbers);
  }
  if (direct) return;
  Stream stream(target.device());
  copy(host, target, stream);
  stream.synchronize();
}

void read_group(const Hdf5File& file, const std::string& group, const std::vector<NamedTensor>& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const std::string object = object_in(group, name);
    const bool is_float = tensor.dtype() == DType::kF32 || tensor.dtype() == DType::kBf16;
    if (is_float && tensor.shape().rank() > 0 && tensor.shape().count() > 0) {
      read_parts(file, object, tensor);
      continue;
    }
    const Tensor host = allocate_tensor({}, tensor.shape(), tensor.dtype());
    with_element(host.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (!std::is_same_v<T, Bf16>) file.read_into<T>(object, host.shape(), host.values<T>());
    });
    Stream stream(tensor.device());
    assign(tensor, host, stream);
  }
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const CheckpointInfo& info,
                      const std::vector<NamedTensor>& model, const std::vector<NamedTensor>& optimizer) {
  Hdf5File file = Hdf5File::create(path);
  write_group(file, "model", model);
  if (!optimizer.empty()) write_group(file, "optimizer", optimizer);
  file.make_group("transform");
  for (const auto& [name, values] : info.transform) file.write<double>("transform/" + name, values);
  file.set_attribute("/", "step", info.step);
  file.set_attribute("/", "optimizer_steps", info.optimizer_steps);
  if (info.has_best) {
    file.set_attribute("/", "best_metric", info.best_metric);
    if (info.best_step >= 0) file.set_attribute("/", "best_step", info.best_step);
  }
  file.set_attribute("/", "config", info.config);
  if (!info.names.empty()) file.set_attribute("/", "names", info.names);
  file.commit();
}

CheckpointInfo read_checkpoint_info(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  file.check_format_version();
  require(file.has_group("model") && file.has_attribute("/", "config"), path.string(),
          ": not a checkpoint of umbra: group /model and attribute config are expected");
  CheckpointInfo info;
  info.config = file.attribute_text("/", "config");
  info.step = file.attribute_integer("/", "step");
  info.optimizer_steps = file.attribute_integer("/", "optimizer_steps");
  require(info.step >= 0 && info.optimizer_steps >= 0, path.string(),
          ": attribute step must not be negative");
  info.has_best = file.has_attribute("/", "best_metric");
  if (info.has_best) {
    info.best_metric = file.attribute_number("/", "best_metric");
    info.best_step = file.has_attribute("/", "best_step") ? file.attribute_integer("/", "best_step") : -1;
    require(info.best_step <= info.step, path.string(), ": attribute best_step is ", info.best_step,
            ", but at most step, ", info.step, ", is expected");
  }
  if (file.has_attribute("/", "names")) info.names = file.attribute_texts("/", "names");
  if (file.has_group("transform")) {
    for (const Hdf5Entry& entry : file.list("transform")) {
      info.transform[entry.name] = file.read<double>("transform/" + entry.name);
    }
  }
  return info;
}

void load_checkpoint(const std::filesystem::path& path, const std::vector<NamedTensor>& model,
                     const std::vector<NamedTensor>& optimizer) {
  const Hdf5File file = Hdf5File::open(path);
  file.check_format_version();
  check_group(file, "model", model);
  if (!optimizer.empty()) check_group(file, "optimizer", optimizer);
  read_group(file, "model", model);
  if (!optimizer.empty()) read_group(file, "optimizer", optimizer);
}

}  // namespace umbra
