#include "engine/cuda/emulator/window.h"

#include <algorithm>
#include <cstring>

#include "engine/base/error.h"

namespace umbra::emulator {
namespace {

constexpr std::size_t kGuardBytes = 256;
constexpr unsigned char kPoison = 0xFF, kGuard = 0xA5;

}  // namespace

void Window::begin(std::size_t bytes) {
  bytes_ = bytes;
  const std::size_t lines = (bytes + kGuardBytes) / sizeof(Line) + 1;
  if (lines_.size() < lines) lines_.resize(lines);
  std::fill_n(data(), bytes_, kPoison);
  std::fill_n(data() + bytes_, kGuardBytes, kGuard);
  image_.clear();
  staged_.clear();
}

bool Window::guard_is_intact() const {
  const unsigned char* guard = lines_.data()->bytes + bytes_;
  return std::all_of(guard, guard + kGuardBytes, [](unsigned char b) { return b == kGuard; });
}

bool Window::contains(const void* shared, std::size_t bytes) const {
  const auto at = reinterpret_cast<std::uintptr_t>(shared);
  const auto begin = reinterpret_cast<std::uintptr_t>(lines_.data());
  return at >= begin && at + bytes <= begin + bytes_;
}

std::size_t Window::offset(const void* shared, std::size_t bytes, const char* what) const {
  const auto at = reinterpret_cast<std::intptr_t>(shared) - reinterpret_cast<std::intptr_t>(lines_.data());
  require(contains(shared, bytes), what, " of ", bytes, " bytes at byte ", at,
          " lies outside the block's shared memory of ", bytes_, " bytes");
  return static_cast<std::size_t>(at);
}

const unsigned char* Window::image() {
  if (image_.empty()) image_.assign(bytes_, kPoison);
  return image_.data();
}

void Window::deliver(std::size_t offset, const unsigned char* from, std::size_t bytes) {
  image();
  std::memcpy(data() + offset, from, bytes);
  std::memcpy(image_.data() + offset, from, bytes);
  if (!staged_.empty()) std::memcpy(staged_.data() + offset, from, bytes);
}

void Window::publish() {
  image_.assign(data(), data() + bytes_);
  staged_.clear();
}

void Window::stage() {
  staged_.assign(data(), data() + bytes_);
}

void Window::publish_staged() {
  image_.swap(staged_);
  staged_.clear();
}

}  // namespace umbra::emulator
