// DeviceSums: the sums of numbers in the memory of GPUs, one per process, as the communicator's thread computes them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/dist/device_transport.h"
#include "engine/runtime/queue_mark.h"
#include "engine/runtime/storage.h"

namespace umbra {

/// Numbers in the memory of a GPU, to be replaced by their sums.
struct DeviceNumbers {
  float* numbers;                    ///< [count], aligned to 64 bytes
  std::int64_t count;                ///< the same in all processes
  std::shared_ptr<QueueMark> final;  ///< after the work that computes them
};

/// sums[i] += more[i] for i in [0, count), queued into a stream of the GPU.
using AddOnDevice = std::function<void(Stream& stream, float* sums, const float* more, std::int64_t count)>;

/// The part of a list of numbers that one of several processes adds. All but the last have whole blocks of 64 bytes, so
/// that kernels can read vectors.
struct DeviceSlice {
  std::int64_t begin;  ///< place of its first number
  std::int64_t count;  ///< of its numbers; may be 0
};
/// That of process `rank` of `size`.
DeviceSlice device_slice(std::int64_t count, int rank, int size);

/// Every process adds one slice of the numbers: it receives that slice from all others, adds in the order of the ranks and
/// sends the sums. A sum consists of the calls send_parts(), add() and done(), each of which is followed by waiting until
/// the transport is ready. All functions are called from the communicator's thread.
class DeviceSums {
 public:
  /// Of process `rank` of `size`.
  DeviceSums(std::unique_ptr<DeviceTransport> transport, Device device, AddOnDevice add, int rank, int size);

  /// The messages between the GPUs.
  DeviceTransport& transport() { return *transport_; }
  /// Queues the messages with the parts of all slices, to be sent when the numbers are final.
  void send_parts(const DeviceNumbers& numbers);
  /// Queues the additions and the messages with the sums.
  void add();
  /// Whether the sums have replaced the numbers. Waits for nothing.
  bool done();
  /// Bytes that this process sends for a sum, and as many messages; it receives as much as the others send to it.
  struct Sent {
    std::int64_t messages = 0;        ///< to other processes
    std::int64_t bytes = 0;           ///< in these
    std::int64_t bytes_received = 0;  ///< from other processes
  };
  /// Of a sum of `count` numbers.
  Sent sent(std::int64_t count) const;

 private:
  float* part(int rank) const;  // of the own slice, [count of the slice]

  Device device_;
  AddOnDevice add_;
  int rank_, size_;
  Stream stream_;
  std::shared_ptr<Storage> parts_;  // of the own slice, one process after another; kept between sums
  std::unique_ptr<DeviceTransport> transport_;  // before the memory that it may write to is released
  DeviceNumbers numbers_{};                     // of the sum under way
  std::unique_ptr<QueueMark> end_;              // of that sum
};

}  // namespace umbra
