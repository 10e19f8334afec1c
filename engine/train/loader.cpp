#include "engine/train/loader.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>

#include "engine/cpu/parallel.h"
#include "engine/ops/data_movement/gather_boxes.h"

namespace umbra {
namespace {

// Keeps the exceptions that a parallel loop must not throw. The one of the lowest place is kept, so that the
// result does not depend on which thread was first. Higher places are then skipped.
class FirstFailure {
 public:
  template <class Body>
  void watch(std::int64_t place, const Body& body) noexcept {
    if (place > place_) return;
    try {
      body();
    } catch (...) {
      const std::lock_guard<std::mutex> guard(one_at_a_time_);
      if (place > place_) return;
      place_ = place;
      what_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (what_) std::rethrow_exception(what_);
  }

 private:
  std::mutex one_at_a_time_;
  std::atomic<std::int64_t> place_{std::numeric_limits<std::int64_t>::max()};
  std::exception_ptr what_;
};

}  // namespace

std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  const Rng rng(seed, Purpose::kPermutation, static_cast<std::uint64_t>(epoch));
  std::vector<std::pair<std::uint64_t, std::int64_t>> keyed(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < keyed.size(); ++i) {
    const Philox4 w = rng.words(i);
    keyed[i] = {std::uint64_t{w[0]} << 32 | w[1], static_cast<std::int64_t>(i)};
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<std::int64_t> order;
  order.reserve(keyed.size());
  for (const auto& [key, index] : keyed) order.push_back(index);
  return order;
}

Loader::Loader(const Dataset& data, const LoaderOptions& options) : data_(data), options_(options) {
  require(options.batch > 0, "train.batch must be positive, but it is ", options.batch);
  require(batches_per_epoch() > 0, "a batch of ", options.batch, " is larger than the dataset of ",
          data.size(), " samples; lower train.batch or set train.drop_last=false");
  const std::int64_t smallest = whole_size(batches_per_epoch() - 1);
  require(smallest >= options.part.count, "a batch of ", smallest, " samples cannot be divided among ",
          options.part.count,
          " processes; use fewer processes, a larger train.batch or train.drop_last=true");
}

std::int64_t Loader::batches_per_epoch() const {
  const std::int64_t whole = data_.size() / options_.batch;
  return options_.drop_last || data_.size() % options_.batch == 0 ? whole : whole + 1;
}

const std::vector<std::int64_t>& Loader::order(std::int64_t epoch) const {
  if (order_epoch_ != epoch) {
    order_ = permutation(data_.size(), options_.seed, epoch);
    if (!options_.shuffle) std::iota(order_.begin(), order_.end(), 0);
    order_epoch_ = epoch;
  }
  return order_;
}

std::int64_t Loader::whole_size(std::int64_t step) const {
  return std::min(options_.batch, data_.size() - step % batches_per_epoch() * options_.batch);
}

std::vector<std::int64_t> Loader::samples_of(std::int64_t step) const {
  const std::vector<std::int64_t>& all = order(step / batches_per_epoch());
  const auto begin = all.begin() + step % batches_per_epoch() * options_.batch + first_of_part(step);
  return {begin, begin + batch_size(step)};
}

template <class Body>
void Loader::for_each_sample(std::int64_t step, const std::vector<std::int64_t>& samples,
                             const Body& body) const {
  const std::int64_t epoch = step / batches_per_epoch();
  FirstFailure failure;
  parallel_for(static_cast<std::int64_t>(samples.size()), [&](std::int64_t i) {
    failure.watch(i, [&] {
      const std::int64_t sample = samples[static_cast<std::size_t>(i)];
      const Rng rng(options_.seed, Purpose::kAugmentation,
                    static_cast<std::uint64_t>(epoch * data_.size() + sample));
      body(static_cast<std::size_t>(i), sample, options_.augment ? &rng : nullptr);
    });
  });
  failure.rethrow();
}

namespace {

// The boxes on `device`. On a CPU no copy is made.
Tensor boxes_on(Device device, const BoxArray& boxes) {
  const Shape shape{boxes.count, boxes.features, boxes.voxels, boxes.voxels, boxes.voxels};
  void* numbers = const_cast<float*>(boxes.numbers.data());  // never written: the op's buffer is an input
  Tensor host(std::make_shared<Storage>(Device{}, numbers, boxes.numbers.size_bytes(), [](void*) {}), 0,
              shape, DType::kF32);
  if (device.kind == Device::Kind::kCpu) return host;
  Tensor copied = allocate_tensor(device, shape, DType::kF32);
  Stream stream(device);
  copy(host, copied, stream);
  stream.synchronize();
  return copied;
}

Tensor gather_boxes(Context& context, const Tensor& boxes, const Tensor& windows, const Shape& sample) {
  const std::int64_t batch = windows.shape()[0];
  Tensor input = context.temporary(stacked(batch, sample), DType::kF32);
  call(context, GatherBoxes(DType::kF32, boxes.shape()[0], boxes.shape()[1], boxes.shape()[2], batch),
       {boxes, windows, input});
  return input;
}

// Row i of a tensor on the host.
template <class T>
std::span<T> row(const Tensor& tensor, std::size_t i) {
  const auto length = static_cast<std::size_t>(tensor.shape().count_from(1));
  return tensor.values<T>().subspan(i * length, length);
}

// Fills row i of the targets; fill() writes floats, which become labels where the targets are integers.
template <class Fill>
void fill_target(const Tensor& targets, std::size_t i, const Fill& fill) {
  if (targets.dtype() == DType::kF32) return fill(row<float>(targets, i));
  const std::span<std::int32_t> labels = row<std::int32_t>(targets, i);
  std::vector<float> numbers(labels.size());
  fill(std::span<float>(numbers));
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<std::int32_t>(numbers[k]);
}

BoxWindow& window_at(const Tensor& windows, std::size_t i) {
  return reinterpret_cast<BoxWindow&>(row<std::int32_t>(windows, i)[0]);
}

// The beginning of the memory of a batch as one of samples whose first axis is shorter by `fewer`.
Tensor without(const Tensor& batch, std::int64_t fewer) {
  if (fewer == 0) return batch;
  std::vector<std::int64_t> extents(batch.shape().extents().begin(), batch.shape().extents().end());
  extents[1] -= fewer;
  const Shape shape(extents);
  return batch.elements(0, shape.count()).reshaped(shape);
}

std::size_t rounded_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

Batch Loader::load(Context& context, std::int64_t step) const {
  StagedBatches staged(context, *this, step);
  staged.stage(context, step);
  Batch batch = staged.gather(context);
  batch.samples = samples_of(step);
  context.stream.synchronize();  // the staging memory is about to be freed
  return batch;
}

StagedBatches::StagedBatches(Context& context, const Loader& loader, std::int64_t first_step,
                             std::int64_t scalars)
    : loader_(loader) {
  const Device device = context.device();
  const std::int64_t batch = loader.batch_size(first_step);
  const BoxArray* boxes = loader.data().boxes();
  if (boxes != nullptr && (!loader.boxes_.defined() || !(loader.boxes_.device() == device))) {
    loader.boxes_ = boxes_on(device, *boxes);
  }
  for (auto& slot : slots_) {
    slot = std::make_unique<Slot>(device);
    slot->memory = make_memory(device, true, batch, scalars);
  }
  device_ = make_memory(device, false, batch, scalars);
}

// The memory of a batch on the device, or of its staging: pinned memory of the host, the source of the copy. The
// samples are last, so that a copy may leave out those that a batch does not need.
StagedBatches::Memory StagedBatches::make_memory(Device device, bool staging, std::int64_t batch,
                                                 std::int64_t scalars) const {
  constexpr std::size_t kAligned = 256, kWord = sizeof(std::int64_t);
  const Dataset& data = loader_.data();
  const bool windows = data.boxes() != nullptr;
  const Shape input = windows ? Shape{batch, kBoxWindowNumbers} : stacked(batch, data.input_shape());
  const DType dtype = windows ? DType::kI32 : DType::kF32;
  const Shape target = stacked(batch, data.target_shape());
  const auto bytes = [](const Shape& shape, DType type) {
    return static_cast<std::size_t>(shape.count()) * size_of(type);
  };
  const std::size_t target_at = rounded_up(kWord * static_cast<std::size_t>(1 + scalars), kAligned),
                    input_at = target_at + rounded_up(bytes(target, data.target_dtype()), kAligned),
                    end = input_at + rounded_up(bytes(input, dtype), kWord);
  const auto storage = staging && device.kind != Device::Kind::kCpu ? allocate_pinned(device, end)
                                                                    : allocate_storage(device, end);
  Memory made;
  made.all = {storage, 0, {static_cast<std::int64_t>(end / kWord)}, DType::kI64};
  made.number = {storage, 0, {1}, DType::kI64};
  if (scalars > 0) made.scalars = {storage, kWord, {scalars}, DType::kF64};
  made.target = {storage, target_at, target, data.target_dtype()};
  made.input = {storage, input_at, input, dtype};
  return made;
}

// The rows that no sample of a batch needs.
std::int64_t StagedBatches::rows_left_out(Device device, const std::vector<std::int64_t>& samples) const {
  const Dataset& data = loader_.data();
  std::int64_t needed = 0;
  for (const std::int64_t sample : samples) needed = std::max(needed, data.rows(sample));
  if (needed == 0 || device.kind != Device::Kind::kCpu) return 0;
  return data.input_shape()[0] - needed;
}

void StagedBatches::stage(Context& context, std::int64_t step, std::span<const double> scalars) {
  Slot& slot = *slots_[static_cast<std::size_t>(step % 2)];
  slot.copied.wait();
  slot.memory.number.values<std::int64_t>()[0] = step;
  if (slot.memory.scalars.defined())
    std::copy(scalars.begin(), scalars.end(), slot.memory.scalars.values<double>().begin());
  const Dataset& data = loader_.data();
  const bool windows = data.boxes() != nullptr;
  const std::vector<std::int64_t> samples = loader_.samples_of(step);
  const std::int64_t fewer = rows_left_out(context.device(), samples);
  const Tensor input = without(slot.memory.input, fewer);
  slot.batch_target = without(slot.memory.target, fewer);
  const auto fill = [&](std::size_t i, std::int64_t sample, const Rng* rng) {
    fill_target(slot.batch_target, i, [&](std::span<float> target) {
      if (windows)
        window_at(input, i) = data.window(sample, rng, target);
      else
        data.read(sample, rng, row<float>(input, i), target);
    });
  };
  loader_.for_each_sample(step, samples, fill);
  batch_input_ = without(device_.input, fewer);
  batch_target_ = without(device_.target, fewer);
  const std::size_t left_out = (slot.memory.input.bytes() - input.bytes()) / size_of(DType::kI64);
  const std::int64_t words = slot.memory.all.count() - static_cast<std::int64_t>(left_out);
  copy(slot.memory.all.elements(0, words), device_.all.elements(0, words), context.stream);
  slot.copied.record(context.stream);
}

Batch StagedBatches::gather(Context& context) const {
  const bool windows = loader_.data().boxes() != nullptr;
  const Tensor input = windows
                           ? gather_boxes(context, loader_.boxes_, batch_input_, loader_.data().input_shape())
                           : batch_input_;
  return {input, batch_target_, {}};
}

const Tensor& StagedBatches::host_target(std::int64_t step) const {
  return slots_[static_cast<std::size_t>(step % 2)]->batch_target;
}

}  // namespace umbra
