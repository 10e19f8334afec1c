#include "engine/dist/device_sums.h"

#include <algorithm>

#include "engine/runtime/backend.h"

namespace umbra {
namespace {

constexpr std::int64_t kBlock = 64 / sizeof(float);

std::int64_t in_blocks(std::int64_t count) {
  return (count + kBlock - 1) / kBlock * kBlock;
}

}  // namespace

DeviceSlice device_slice(std::int64_t count, int rank, int size) {
  const std::int64_t blocks = in_blocks(count) / kBlock;
  const auto begin = [&](int r) { return std::min(count, blocks * r / size * kBlock); };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}

DeviceSums::DeviceSums(std::unique_ptr<DeviceTransport> transport, Device device, AddOnDevice add, int rank,
                       int size)
    : device_(device),
      add_(std::move(add)),
      rank_(rank),
      size_(size),
      stream_(device),
      transport_(std::move(transport)) {}

float* DeviceSums::part(int rank) const {
  return static_cast<float*>(parts_->data()) +
         rank * in_blocks(device_slice(numbers_.count, rank_, size_).count);
}

void DeviceSums::send_parts(const DeviceNumbers& numbers) {
  const Backend& backend = backend_of(device_.kind);
  backend.select(device_.index);
  numbers_ = numbers;
  const DeviceSlice own = device_slice(numbers.count, rank_, size_);
  const auto bytes = static_cast<std::size_t>(in_blocks(own.count) * size_) * sizeof(float);
  if (parts_ == nullptr || parts_->bytes() < bytes) {
    parts_.reset();
    parts_ = allocate_storage(device_, bytes);
  }
  numbers.final->wait_in(stream_);
  std::vector<DeviceMessage> sends, receives;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    const DeviceSlice slice = device_slice(numbers.count, peer, size_);
    if (slice.count > 0) sends.push_back({peer, numbers.numbers + slice.begin, slice.count});
    if (own.count > 0) receives.push_back({peer, part(peer), own.count});
  }
  backend.copy(device_.index, stream_.native(), part(rank_), numbers.numbers + own.begin,
               static_cast<std::size_t>(own.count) * sizeof(float));
  transport_->exchange(sends, receives, stream_);
}

void DeviceSums::add() {
  const DeviceSlice own = device_slice(numbers_.count, rank_, size_);
  float* const sums = numbers_.numbers + own.begin;
  std::vector<DeviceMessage> sends, receives;
  if (own.count > 0) {
    const Backend& backend = backend_of(device_.kind);
    backend.copy(device_.index, stream_.native(), sums, part(0),
                 static_cast<std::size_t>(own.count) * sizeof(float));
    for (int rank = 1; rank < size_; ++rank) add_(stream_, sums, part(rank), own.count);
  }
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    const DeviceSlice slice = device_slice(numbers_.count, peer, size_);
    if (own.count > 0) sends.push_back({peer, sums, own.count});
    if (slice.count > 0) receives.push_back({peer, numbers_.numbers + slice.begin, slice.count});
  }
  transport_->exchange(sends, receives, stream_);
}

bool DeviceSums::done() {
  if (end_ == nullptr) end_ = std::make_unique<QueueMark>(stream_);
  if (!end_->reached()) return false;
  end_.reset();
  numbers_ = {};
  return true;
}

DeviceSums::Sent DeviceSums::sent(std::int64_t count) const {
  Sent sent;
  const std::int64_t own = device_slice(count, rank_, size_).count;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    const std::int64_t slice = device_slice(count, peer, size_).count;
    const std::int64_t bytes =
        (slice + own) * std::int64_t{sizeof(float)};  // its slice, and sums of the own one
    sent.messages += (slice > 0 ? 1 : 0) + (own > 0 ? 1 : 0);
    sent.bytes += bytes;
    sent.bytes_received += bytes;
  }
  return sent;
}

}  // namespace umbra
