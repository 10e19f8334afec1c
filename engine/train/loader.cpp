#include "engine/train/loader.h"

#include <algorithm>
#include <numeric>

#include "engine/cpu/parallel.h"

namespace umbra {

std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  const Rng rng(seed, Purpose::kPermutation, static_cast<std::uint64_t>(epoch));
  std::vector<std::pair<std::uint64_t, std::int64_t>> keyed(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < keyed.size(); ++i) {
    const Philox4 w = rng.words(i);
    keyed[i] = {std::uint64_t{w[0]} << 32 | w[1], static_cast<std::int64_t>(i)};
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<std::int64_t> order;
  for (const auto& [key, index] : keyed) order.push_back(index);
  return order;
}

Loader::Loader(const Dataset& data, const LoaderOptions& options) : data_(data), options_(options) {
  require(options.batch > 0, "train.batch must be positive, but it is ", options.batch);
  require(batches_per_epoch() > 0, "a batch of ", options.batch, " is more than the ", data.size(),
          " samples there are; lower train.batch or set train.drop_last=false");
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

Batch Loader::load(Context& context, std::int64_t step) const {
  const std::int64_t epoch = step / batches_per_epoch();
  const std::int64_t begin = step % batches_per_epoch() * options_.batch;
  const std::int64_t end = std::min(begin + options_.batch, data_.size());
  const std::vector<std::int64_t>& all = order(epoch);
  Batch batch;
  batch.samples.assign(all.begin() + begin, all.begin() + end);

  const auto stacked = [&](const Shape& sample) {
    std::vector<std::int64_t> extents{end - begin};
    extents.insert(extents.end(), sample.extents().begin(), sample.extents().end());
    return Shape(extents);
  };
  const bool on_host = context.device().kind == Device::Kind::kCpu;
  const auto host_tensor = [&](const Shape& shape) {
    return on_host ? context.temporary(shape, DType::kF32) : allocate_tensor({}, shape, DType::kF32);
  };
  const Tensor input = host_tensor(stacked(data_.input_shape()));
  const Tensor target = host_tensor(stacked(data_.target_shape()));
  const auto input_size = static_cast<std::size_t>(data_.input_shape().count());
  const auto target_size = static_cast<std::size_t>(data_.target_shape().count());
  parallel_for(end - begin, [&](std::int64_t i) {
    const std::int64_t sample = batch.samples[static_cast<std::size_t>(i)];
    const auto stream = static_cast<std::uint64_t>(epoch * data_.size() + sample);
    const Rng rng(options_.seed, Purpose::kAugmentation, stream);
    const auto row = static_cast<std::size_t>(i);
    data_.read(sample, options_.augment ? &rng : nullptr,
               input.values<float>().subspan(row * input_size, input_size),
               target.values<float>().subspan(row * target_size, target_size));
  });
  batch.input = on_host ? input : context.temporary(input.shape(), DType::kF32);
  batch.target = on_host ? target : context.temporary(target.shape(), DType::kF32);
  if (!on_host) {
    copy(input, batch.input, context.stream);
    copy(target, batch.target, context.stream);
    context.stream.synchronize();
  }
  return batch;
}

}  // namespace umbra
