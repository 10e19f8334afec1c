// QueueMark: the order between two queues of one device. In a header of its own because stream.h is included by every
// kernel.
#pragma once

#include "engine/runtime/stream.h"

namespace umbra {

/// The end of what a stream has queued so far. It may be used and destroyed in another thread than it was made in.
class QueueMark {
 public:
  /// After everything queued into `stream` so far.
  explicit QueueMark(const Stream& stream);
  ~QueueMark();
  QueueMark(const QueueMark&) = delete;
  QueueMark& operator=(const QueueMark&) = delete;

  /// Work that is queued into `stream`, of the same device, from now on starts after the mark. The host does not wait.
  void wait_in(const Stream& stream) const;
  /// Whether everything before the mark is done.
  bool reached() const;

 private:
  Device device_;
  void* native_;
};

}  // namespace umbra
