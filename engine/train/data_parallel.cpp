#include "engine/train/data_parallel.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/base/fingerprint.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

// Bytes that a gradient takes in a bucket: the next one begins where a tensor of its own could.
std::size_t aligned(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The tensor itself, or a copy of it on the host. Nothing that computes it is under way.
Tensor on_host(const Tensor& tensor) {
  if (tensor.device().kind == Device::Kind::kCpu) return tensor;
  const Tensor host = allocate_tensor({}, tensor.shape(), tensor.dtype(), tensor.layout());
  Stream stream(tensor.device());
  copy(tensor, host, stream);
  stream.synchronize();
  return host;
}

// The numbers of a tensor on the host in their order in memory, whatever its type, four bytes at a time.
std::span<const float> words_of(const Tensor& tensor) {
  return {static_cast<const float*>(tensor.data()), tensor.bytes() / sizeof(float)};
}

// The kernel is one of the registry, which need not outlive the result.
AddOnDevice adder_on(const Context& context) {
  const Device device = context.device();
  const Kernel kernel = context.registry.choose(Add(DType::kF32, 1), device.kind);
  return [kernel, device](Stream& stream, float* sums, const float* more, std::int64_t count) {
    const Add add(DType::kF32, count);
    const std::array<void*, 3> buffers{sums, const_cast<float*>(more), sums};  // it reads the first two
    kernel.run(add, buffers, nullptr, stream);
    const std::string error = backend_of(device.kind).launch_error(device.index);
    require(error.empty(), add.name(), " (", add, ", rung ", kernel.rung, ") on ", name_of(device), ": ",
            error);
  };
}

}  // namespace

DataParallel::DataParallel(Communicator& world, const Context& context, const Module& network,
                           DataParallelOptions options)
    : world_(world), options_(std::move(options)) {
  for (const Parameter& p : network.parameters())
    require(p.value().dtype() == DType::kF32, "parameter ", p.name, " is ", name_of(p.value().dtype()),
            ", but several processes train f32 networks only");
  world_.join_devices(context.device(), adder_on(context));
  // With the statistics of the whole batch they are the same everywhere.
  if (options_.synchronised_batch_norm) return;
  for (const NamedTensor& buffer : network.buffers())
    if (buffer.tensor.dtype() == DType::kF32) statistics_.push_back(buffer);
}

double DataParallel::share(double weight) const {
  double total = 0;
  for (const double of_rank : world_.gather(std::array{weight})) total += of_rank;
  return weight / total;
}

// On a GPU the numbers are final when the stream has got here.
void DataParallel::start_sum(Context& context, const Tensor& numbers) {
  const auto owner = std::make_shared<Tensor>(numbers);
  if (context.device().kind == Device::Kind::kCpu) {
    sums_.push_back(world_.start_sum(numbers.values<float>(), owner));
    return;
  }
  sums_.push_back(world_.start_sum(DeviceNumbers{static_cast<float*>(numbers.data()), numbers.count(),
                                                 std::make_shared<QueueMark>(context.stream)},
                                   owner));
}

void DataParallel::start(Context& context, const Tensor& share) {
  step_.begin = std::chrono::steady_clock::now();
  std::int64_t count = 0, first = 0;
  for (const NamedTensor& buffer : statistics_) count += buffer.tensor.count();
  if (count == 0) return;
  averages_ = context.temporary({count}, DType::kF32);
  for (const NamedTensor& buffer : statistics_) {
    const std::int64_t own = buffer.tensor.count();
    copy(buffer.tensor.elements(0, own), averages_.elements(first, own), context.stream);
    first += own;
  }
  call(context, Scale(DType::kF32, count), {averages_, share});
  start_sum(context, averages_);
}

void DataParallel::send(Context& context, const Var& variable) {
  if (variable->name.empty()) return;  // not a parameter
  bucket_.push_back(variable);
  bytes_ += static_cast<std::int64_t>(aligned(variable->grad.bytes()));
  if (bytes_ >= options_.bucket_bytes) send_bucket(context);
}

// The gradients move into the memory of the bucket, where the sums replace them.
void DataParallel::send_bucket(Context& context) {
  if (bucket_.empty()) return;
  const std::int64_t count = bytes_ / std::int64_t{sizeof(float)};
  const std::shared_ptr<Storage> memory = context.arena.take(static_cast<std::size_t>(bytes_));
  const Tensor numbers(memory, 0, {count}, DType::kF32);
  std::size_t offset = 0;
  for (const Var& variable : bucket_) {
    const Tensor from = variable->grad;
    variable->grad = Tensor(memory, offset, from.shape(), from.dtype(), from.layout());
    copy(from, variable->grad, context.stream);
    const auto end = static_cast<std::int64_t>((offset + from.bytes()) / sizeof(float));
    offset += aligned(from.bytes());
    const std::int64_t gap = static_cast<std::int64_t>(offset / sizeof(float)) - end;
    if (gap > 0) call(context, SetValue(DType::kF32, gap, 0), {numbers.elements(end, gap)});
  }
  start_sum(context, numbers);
  bucket_.clear();
  bytes_ = 0;
}

void DataParallel::finish(Context& context) {
  send_bucket(context);
  step_.end = std::chrono::steady_clock::now();
  for (std::future<void>& sum : sums_) world_.wait(sum);
  sums_.clear();
  step_.transfers = world_.transfers();
  std::int64_t first = 0;
  for (const NamedTensor& buffer : statistics_) {
    copy(averages_.elements(first, buffer.tensor.count()), buffer.tensor.elements(0, buffer.tensor.count()),
         context.stream);
    first += buffer.tensor.count();
  }
  averages_ = {};
}

DataParallel::Totals DataParallel::add(double loss, double metric) {
  const double stop = options_.stop_signal ? options_.stop_signal() : 0;
  const std::vector<double> all = world_.gather(std::array{loss, metric, stop});
  Totals totals{0, 0};
  for (std::size_t i = 0; i < all.size(); i += 3) {
    totals.loss += all[i];
    totals.metric += all[i + 1];
    stop_signal_ = std::max(stop_signal_, static_cast<int>(all[i + 2]));
  }
  return totals;
}

std::string DataParallel::trace() const {
  const auto milliseconds = [&](Transfer::Time time) {
    return std::chrono::duration<double, std::milli>(time - step_.begin).count();
  };
  char line[128];
  std::snprintf(line, sizeof line,
                "the last step: the backward pass took %.2f ms; its sums over %d processes:\n",
                milliseconds(step_.end), world_.size());
  std::string text = line;
  text += "      KiB  queued ms  sent from ms    to ms\n";
  for (const Transfer& t : step_.transfers) {
    std::snprintf(line, sizeof line, "%9.1f %10.2f %13.2f %8.2f\n", static_cast<double>(t.bytes) / 1024,
                  milliseconds(t.queued), milliseconds(t.started), milliseconds(t.ended));
    text += line;
  }
  const Traffic traffic = world_.traffic();
  std::snprintf(line, sizeof line, "this process has sent %.2f MB in %lld messages and received %.2f MB\n",
                static_cast<double>(traffic.bytes_sent) * 1e-6, static_cast<long long>(traffic.messages),
                static_cast<double>(traffic.bytes_received) * 1e-6);
  return text + line;
}

void DataParallel::compare(std::int64_t step, const std::vector<NamedTensor>& state) const {
  Fingerprint fingerprint;
  for (const NamedTensor& part : state) {
    const Tensor host = on_host(part.tensor);
    fingerprint.add(words_of(host));
  }
  world_.compare(fingerprint.value(), concat("training stopped after step ", step, ": the weights"));
}

}  // namespace umbra
