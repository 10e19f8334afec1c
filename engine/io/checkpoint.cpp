#include "engine/io/checkpoint.h"

#include <algorithm>
#include <cmath>

#include "engine/io/hdf5.h"

namespace umbra {
namespace {

std::string object_in(const std::string& group, const std::string& name) {
  return group + "/" + name;
}

// Weights that only ever meet padding have no moments: of such a tensor the spatial positions that it stores are written,
// [a0, a1, positions], and this attribute has their indices.
constexpr const char* kPositions = "positions";

void write_group(Hdf5File& file, const std::string& group, const std::vector<NamedTensor>& tensors) {
  file.make_group(group);
  for (const auto& [name, tensor] : tensors) {
    const std::string object = object_in(group, name);
    const bool all = tensor.dtype() != DType::kF32 || tensor.count() == tensor.shape().count();
    Stream stream(tensor.device());
    const Tensor host = row_major_on_host(all ? tensor : tensor.stored_positions(), stream);
    with_element(host.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_same_v<T, Bf16>) {
        fail(file.path().string(), ": ", object, " is stored as bf16 for inference and cannot be saved");
      } else {
        file.write<T>(object, std::span<const T>(host.values<T>()), host.shape());
      }
    });
    if (all) continue;
    const std::vector<std::int32_t>& positions = *tensor.layout().positions();
    const std::vector<std::int64_t> indices(positions.begin(), positions.end());
    file.set_attribute(object, kPositions, std::span<const std::int64_t>(indices));
  }
}

// The spatial positions that the file has of a tensor of `shape`; none: all of them.
std::vector<std::size_t> positions_of(const Hdf5File& file, const std::string& object, const Shape& shape) {
  if (shape.rank() < 3 || !file.has_attribute(object, kPositions)) return {};
  std::vector<std::size_t> positions;
  std::vector<bool> found(static_cast<std::size_t>(shape.count_from(2)));
  for (const double number : file.attribute_numbers(object, kPositions)) {
    const bool is_index =
        number >= 0 && number < static_cast<double>(found.size()) && number == std::floor(number);
    const std::size_t position = is_index ? static_cast<std::size_t>(number) : 0;
    require(is_index && !found[position], file.path().string(), ": ", object, ", attribute ", kPositions,
            ": ", number, " is found, but different indices below ", found.size(), " are expected");
    found[position] = true;
    positions.push_back(position);
  }
  return positions;
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
    Shape expected = tensor.shape();
    if (const auto positions = positions_of(file, object, expected); !positions.empty())
      expected = {expected[0], expected[1], std::ssize(positions)};
    require(entry.shape == expected, where, ": ", object, " has shape ", entry.shape.text(), ", but ",
            expected.text(), " is expected: this is the checkpoint of another network");
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
  const std::vector<std::size_t> positions = positions_of(file, object, shape);
  const std::size_t space = positions.empty() ? 1 : static_cast<std::size_t>(shape.count_from(2));
  std::vector<float> part(static_cast<std::size_t>(rows * row)), some;
  for (std::int64_t first = 0; first < shape[0]; first += rows) {
    const std::int64_t count = std::min(rows, shape[0] - first);
    const std::span<float> numbers = std::span(part).first(static_cast<std::size_t>(count * row));
    if (positions.empty()) {
      file.read_rows<float>(object, first, numbers);
    } else {
      some.resize(numbers.size() / space * positions.size());
      file.read_rows<float>(object, first, some);
      std::size_t from = 0;
      for (std::size_t at = 0; at < numbers.size(); at += space)
        for (const std::size_t position : positions) numbers[at + position] = some[from++];
    }
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
