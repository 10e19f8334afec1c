// Communicator: its thread, which carries out the operations and waits for the other processes.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "engine/dist/communicator.h"

namespace umbra {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSecondsToAnnounce = 2, kSecondsToCollect = 2, kSecondsToPrint = 10;
// A message usually arrives soon. A process that waits for a slower one leaves the core to it.
constexpr auto kEager = std::chrono::microseconds(500), kPause = std::chrono::microseconds(50);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

// The lowest rank that is not lost prints.
int printing_rank(const Notice& notice) {
  int rank = 0;
  while (std::find(notice.lost.begin(), notice.lost.end(), rank) != notice.lost.end()) ++rank;
  return rank;
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
  if (failure_) {
    const Clock::time_point start = Clock::now();
    while (!failure_->prints() && !printed_ && seconds_since(start) < kSecondsToPrint)
      std::this_thread::sleep_for(kPause * 1000);
    transport_->abort();
  } else if (devices_) {
    leave_devices();
  }
  devices_.reset();
  transport_.reset();
}

void Communicator::require_no_failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_) throw JobFailed(*failure_);
}

// That these do not answer.
Notice Communicator::loss_of(std::vector<int> ranks) const {
  Notice loss{"", std::move(ranks), rank_};
  for (const int rank : loss.lost)
    loss.sentence += concat(loss.sentence.empty() ? "" : ", ", known_name_of(rank));
  loss.sentence +=
      concat(loss.lost.size() == 1 ? " has" : " have", " not answered for ", timeout_.load(), " s");
  return loss;
}

// Those that have not taken part in the operation under way.
Notice Communicator::late_processes() const {
  return loss_of(transport_->missing());
}

// Polls, until the job ends or the time-out is over. `late` then says why.
void Communicator::wait_until(const std::function<bool()>& done, const std::function<Notice()>& late) {
  for (const Clock::time_point start = Clock::now(); !done(); pause_after(Clock::now() - start)) {
    if (const std::optional<Notice> notice = transport_->notice()) fail_with(*notice);
    bool ends = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends = own_error_.has_value();
    }
    if (ends) announce_own_error();
    if (ends) throw JobFailed(*failure_);
    if (seconds_since(start) >= timeout_) end_with(late());
  }
}

void Communicator::exchange(std::span<const Message> sends, std::span<const Message> receives) {
  require_no_failure();
  transport_->start(sends, receives);
  wait_until([&] { return transport_->delivered(); }, [&] { return late_processes(); });
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

// Because of what this process has found. The others know it before this process gives up messages that they wait for.
void Communicator::end_with(const Notice& notice) {
  transport_->give_up();
  transport_->announce(notice, kSecondsToAnnounce);
  fail_with(notice);
}

// The notice, or a better reason: the processes that have ended, or the error of another one.
Notice Communicator::after_roll_call(const Notice& notice) {
  if (notice.from != rank_) transport_->announce({notice.sentence, {}, rank_, true}, kSecondsToAnnounce);
  std::vector<int> silent(static_cast<std::size_t>(size_));
  std::iota(silent.begin(), silent.end(), 0);
  std::erase_if(silent, [&](int rank) { return rank == rank_ || rank == notice.from; });
  for (const Clock::time_point start = Clock::now(); !silent.empty() && seconds_since(start) < timeout_;
       std::this_thread::sleep_for(kPause)) {
    const std::optional<Notice> answer = transport_->notice();
    if (answer && !answer->roll_call) return *answer;
    if (answer) std::erase(silent, answer->from);
  }
  return silent.empty() ? notice : loss_of(std::move(silent));
}

void Communicator::fail_with(const Notice& notice) {
  transport_->give_up();
  const Notice why = notice.roll_call ? after_roll_call(notice) : notice;
  if (devices_) devices_->transport().abort();
  const std::string sentence =
      why.lost.empty() ? concat(known_name_of(why.from), ": ", why.sentence) : why.sentence;
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_.emplace(sentence, rank_ == printing_rank(why));
  if (own_error_) to_print_.set_value(failure_->prints() ? sentence : "");  // end() was called meanwhile
  throw JobFailed(*failure_);
}

void Communicator::announce_own_error() {
  transport_->give_up();
  transport_->announce({*own_error_, {}, rank_}, kSecondsToAnnounce);
  if (devices_) devices_->transport().abort();  // as in end_with()
  const std::string sentence = rank_ == 0 ? sentence_to_print(*own_error_) : "";
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_.emplace(*own_error_, rank_ == 0);
  to_print_.set_value(sentence);
}

// The error itself if all other processes announce the same one.
std::string Communicator::sentence_to_print(const std::string& error) {
  int same = 1;
  for (const Clock::time_point start = Clock::now(); same < size_ && seconds_since(start) < kSecondsToCollect;
       std::this_thread::sleep_for(kPause)) {
    const std::optional<Notice> notice = transport_->notice();
    if (notice && notice->sentence == error) ++same;
  }
  return same == size_ ? error : concat(known_name_of(0), ": ", error);
}

}  // namespace umbra
