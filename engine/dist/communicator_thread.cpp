// Communicator: its thread, which carries out the operations and waits for the other processes.
#include <sched.h>

#include <algorithm>

#include "engine/dist/communicator.h"
#include "engine/dist/waiting.h"

namespace umbra {
namespace {

constexpr double kSecondsToPrint = 10;
// A message usually arrives soon. A process that waits for a slower one leaves the core to it.
constexpr auto kEager = std::chrono::microseconds(500);

void pause_after(Clock::duration waited) {
  if (waited < kEager)
    sched_yield();
  else
    std::this_thread::sleep_for(kPause);
}

std::int64_t bytes_in(std::span<const Message> messages) {
  std::int64_t bytes = 0;
  for (const Message& message : messages) bytes += std::ssize(message.bytes);
  return bytes;
}

}  // namespace

void Communicator::serve(const Connect& connect, std::promise<void>& connected) {
  try {
    transport_ = connect();
    rank_ = transport_->rank();
    size_ = transport_->size();
    hosts_.assign(static_cast<std::size_t>(size_), "a host");
    connected.set_value();
  } catch (...) {
    connected.set_exception(std::current_exception());
    return;
  }
  answer();
  leave();
}

// Until the communicator is destroyed.
void Communicator::answer() {
  for (;;) {
    std::unique_lock<std::mutex> lock(mutex_);
    wakes_.wait(lock, [&] { return closing_ || (own_error_ && !failure_) || !queue_.empty(); });
    if (own_error_ && !failure_) {
      lock.unlock();
      announce_own_error();
    } else if (!queue_.empty()) {
      std::packaged_task<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    } else {
      return;
    }
  }
}

// Without a failure the processes leave together. After one, the process that prints ends the job; the others wait, so
// that they do not end it before the sentence has been printed, unless that process is lost, too.
void Communicator::leave() {
  if (devices_ && !failure_) leave_devices();
  if (failure_) {
    const Clock::time_point start = Clock::now();
    while (!failure_->prints() && !printed_ && seconds_since(start) < kSecondsToPrint)
      std::this_thread::sleep_for(kPause * 1000);
    transport_->abort();
  }
  devices_.reset();
  transport_.reset();
}

void Communicator::require_no_failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_) throw JobFailed(*failure_);
}

// Polls, until the job ends or the time-out is over. `late` then ends it, and does not return.
void Communicator::wait_until(const std::function<bool()>& done, const std::function<void()>& late) {
  for (const Clock::time_point start = Clock::now(); !done(); pause_after(Clock::now() - start)) {
    const std::optional<Notice> notice = transport_->notice();
    if (notice && notice->kind == Notice::Kind::kEnd) fail_with(*notice);
    if (notice && notice->kind == Notice::Kind::kRollCall) answer_roll(notice->from, error_of_devices());
    end_if_own_error();
    if (seconds_since(start) >= timeout_) late();
  }
}

void Communicator::exchange(std::span<const Message> sends, std::span<const Message> receives) {
  require_no_failure();
  transport_->start(sends, receives);
  wait_until([&] { return transport_->delivered(); }, [&] { end_with(late_processes()); });
  const std::lock_guard<std::mutex> lock(mutex_);
  ++traffic_.operations;
  traffic_.messages += std::ssize(sends);
  traffic_.bytes_sent += bytes_in(sends);
  traffic_.bytes_received += bytes_in(receives);
}

void Communicator::exchange_with_all(std::span<const std::byte> own, std::span<std::byte> all) {
  std::vector<Message> sends, receives;
  for (int peer = 0; peer < size_; ++peer) {
    const std::span<std::byte> place = all.subspan(static_cast<std::size_t>(peer) * own.size(), own.size());
    if (peer == rank_) {
      std::copy(own.begin(), own.end(), place.begin());
      continue;
    }
    sends.push_back(
        {peer, {const_cast<std::byte*>(own.data()), own.size()}});  // a sender does not write to it
    receives.push_back({peer, place});
  }
  exchange(sends, receives);
}

// Every process adds one slice of the numbers: it receives that slice from all others, adds in the order of the ranks and
// sends the sums. Each thus sends and receives 2 (size - 1) / size times the bytes of the numbers.
void Communicator::sum(std::span<float> numbers) {
  const auto slice = [&](int rank) {
    const auto n = numbers.size(), k = static_cast<std::size_t>(size_), r = static_cast<std::size_t>(rank);
    return numbers.subspan(n * r / k, n * (r + 1) / k - n * r / k);
  };
  const std::span<float> own = slice(rank_);
  parts_.resize(own.size() * static_cast<std::size_t>(size_));
  const auto part = [&](int rank) {
    return std::span<float>(parts_).subspan(static_cast<std::size_t>(rank) * own.size(), own.size());
  };
  std::vector<Message> to, from, sums_to, sums_from;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    const std::span<float> of_peer = slice(peer);
    if (!of_peer.empty()) to.push_back({peer, std::as_writable_bytes(of_peer)});
    if (!own.empty()) from.push_back({peer, std::as_writable_bytes(part(peer))});
    if (!own.empty()) sums_to.push_back({peer, std::as_writable_bytes(own)});
    if (!of_peer.empty()) sums_from.push_back({peer, std::as_writable_bytes(of_peer)});
  }
  exchange(to, from);
  std::copy(own.begin(), own.end(), part(rank_).begin());
  std::copy_n(part(0).begin(), own.size(), own.begin());
  for (int rank = 1; rank < size_; ++rank) {
    const std::span<const float> more = part(rank);
    for (std::size_t i = 0; i < own.size(); ++i) own[i] += more[i];
  }
  exchange(sums_to, sums_from);
}

}  // namespace umbra
