// DeviceTransport: messages between the GPUs of the processes of a job, with NCCL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/runtime/stream.h"

namespace umbra {

/// Numbers in the memory of a GPU that are sent to or received from the process `peer`.
struct DeviceMessage {
  int peer;            ///< rank of the other process; that of this process is allowed
  float* numbers;      ///< [count], valid until the message has been delivered
  std::int64_t count;  ///< at least 1
};

/// Messages cannot be delivered. The reason may be another process that has ended.
class MessagesFailed : public Error {
 public:
  /// `elsewhere`: whether the reason is not in this process.
  MessagesFailed(const std::string& sentence, bool elsewhere) : Error(sentence), elsewhere_(elsewhere) {}
  /// Whether another process has ended or has given up its messages, or the network between them fails.
  bool elsewhere() const { return elsewhere_; }

 private:
  bool elsewhere_;
};

/// Messages between the GPUs of a fixed number of processes, one each. All functions are called from one thread, in the
/// same order in every process. They do not wait for other processes.
class DeviceTransport {
 public:
  virtual ~DeviceTransport() = default;
  /// Queues messages into `stream`, which continues when all have been delivered. To be called when ready() is true.
  /// Throws Error; MessagesFailed if another process may be the reason.
  virtual void exchange(std::span<const DeviceMessage> sends, std::span<const DeviceMessage> receives,
                        const Stream& stream) = 0;
  /// Whether exchange() may be called again: the processes have connected, the messages have been queued. Throws as
  /// exchange() if the connection has failed.
  virtual bool ready() = 0;
  /// Starts to leave together with the other processes, after which ready() becomes true. No message may follow. Throws as
  /// exchange().
  virtual void leave() = 0;
  /// Gives up messages that have not been delivered: the stream continues without them. No message may follow. Returns
  /// within a second.
  virtual void abort() = 0;
};

/// Why this program cannot send messages between GPUs: without a full stop, empty if it can.
std::string nccl_missing();
/// Bytes that identify a new group of GPUs, for all of its processes. Throws Error.
std::vector<std::byte> new_nccl_id();
/// The transport of process `rank` of `size`, with the bytes of new_nccl_id() of one of them. All processes call it; it
/// does not wait for them. Throws Error.
std::unique_ptr<DeviceTransport> connect_with_nccl(std::span<const std::byte> id, int rank, int size,
                                                   Device device);

}  // namespace umbra
