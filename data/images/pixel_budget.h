// How many pixels are decoded at the same time. A decoder needs up to nine bytes for every pixel of an image (progressive
// JPEG in RGB), so threads that decode large images take turns: the results do not depend on it, the memory does.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace umbra {

/// A number of pixels that threads share.
class PixelBudget {
 public:
  /// `most`: pixels of all images together.
  explicit PixelBudget(std::int64_t most) : left_(most), most_(most) {}

  /// The part of one image, given back at the end of its scope.
  class Part {
   public:
    /// Nothing yet.
    explicit Part(PixelBudget& budget) : budget_(budget) {}
    ~Part() { budget_.give_back(pixels_); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    /// Waits until there are so many pixels; the whole budget is enough for an image of any size. To be called once.
    void take(std::int64_t pixels) { pixels_ = budget_.take(pixels); }

   private:
    PixelBudget& budget_;
    std::int64_t pixels_ = 0;
  };

 private:
  std::int64_t take(std::int64_t pixels) {
    pixels = std::min(pixels, most_);
    std::unique_lock<std::mutex> lock(mutex_);
    more_.wait(lock, [&] { return pixels <= left_; });
    left_ -= pixels;
    return pixels;
  }
  void give_back(std::int64_t pixels) {
    const std::lock_guard<std::mutex> lock(mutex_);
    left_ += pixels;
    more_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable more_;
  std::int64_t left_, most_;
};

}  // namespace umbra
