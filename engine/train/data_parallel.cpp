#include "engine/train/data_parallel.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/base/fingerprint.h"

namespace umbra {
namespace {

std::span<float> numbers_of(const Tensor& tensor) {
  return tensor.values<float>();
}

// Bytes that a gradient takes in a bucket: the next one begins where a tensor of its own could.
std::size_t aligned(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The numbers of a tensor in their order in memory, whatever its type, four bytes at a time.
std::span<const float> words_of(const Tensor& tensor) {
  return {static_cast<const float*>(tensor.data()), tensor.bytes() / sizeof(float)};
}

}  // namespace

DataParallel::DataParallel(Communicator& world, const Module& network, DataParallelOptions options)
    : world_(world), options_(std::move(options)) {
  for (const Parameter& p : network.parameters())
    require(p.value().device().kind == Device::Kind::kCpu && p.value().dtype() == DType::kF32, "parameter ",
            p.name, " is ", name_of(p.value().dtype()), " on ", name_of(p.value().device()),
            ", but several processes train f32 networks on CPUs only");
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

void DataParallel::start(Context& context, double share) {
  step_.begin = std::chrono::steady_clock::now();
  std::int64_t count = 0, first = 0;
  for (const NamedTensor& buffer : statistics_) count += buffer.tensor.count();
  if (count == 0) return;
  averages_ = context.temporary({count}, DType::kF32);
  for (const NamedTensor& buffer : statistics_) {
    const std::span<float> from = numbers_of(buffer.tensor),
                           to = numbers_of(averages_.elements(first, buffer.tensor.count()));
    for (std::size_t i = 0; i < from.size(); ++i)
      to[i] = static_cast<float>(share * static_cast<double>(from[i]));
    first += buffer.tensor.count();
  }
  sums_.push_back(world_.start_sum(numbers_of(averages_), std::make_shared<Tensor>(averages_)));
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
  const std::shared_ptr<Storage> memory = context.arena.take(static_cast<std::size_t>(bytes_));
  const std::span<float> numbers(static_cast<float*>(memory->data()),
                                 static_cast<std::size_t>(bytes_) / sizeof(float));
  std::size_t offset = 0;
  for (const Var& variable : bucket_) {
    const Tensor from = variable->grad;
    variable->grad = Tensor(memory, offset, from.shape(), from.dtype(), from.layout());
    copy(from, variable->grad, context.stream);
    const std::size_t end = offset + from.bytes();
    offset += aligned(from.bytes());
    std::fill(numbers.begin() + end / sizeof(float), numbers.begin() + offset / sizeof(float), 0.0F);
  }
  sums_.push_back(world_.start_sum(numbers, memory));
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
  for (const NamedTensor& part : state) fingerprint.add(words_of(part.tensor));
  world_.compare(fingerprint.value(), concat("training stopped after step ", step, ": the weights"));
}

}  // namespace umbra
