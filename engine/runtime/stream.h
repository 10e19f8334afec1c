// Stream: an ordered queue of work on one device. There is no current stream: every launch names its stream.
// On the CPU the queue is the calling thread itself, so work is done when the call returns.
#pragma once

#include "engine/base/device.h"

namespace umbra {

class Stream {
 public:
  /// A new queue on `device`. Throws Error when there is no such device.
  explicit Stream(Device device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Device device() const { return device_; }
  void* native() const { return native_; }  // cudaStream_t on a CUDA device, null on the CPU
  /// Waits until everything queued so far is done.
  void synchronize() const;

 private:
  Device device_;
  void* native_ = nullptr;
};

/// A mark in a queue that the host can wait for.
class Event {
 public:
  explicit Event(Device device);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Sets the mark after everything queued so far, replacing an earlier mark.
  void record(const Stream& stream) const;
  /// Waits until everything before the mark is done.
  void wait() const;

 private:
  friend double seconds_between(const Event& from, const Event& to);
  Device device_;
  void* native_;
};

/// Seconds on the device between two marks, both of which have been waited for.
double seconds_between(const Event& from, const Event& to);

}  // namespace umbra
