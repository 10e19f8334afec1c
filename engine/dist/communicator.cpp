// Communicator: what its caller sees. The operations run in communicator_thread.cpp.
#include "engine/dist/communicator.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

namespace umbra {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unknown host";
}

template <class T>
std::span<std::byte> bytes_of(std::vector<T>& numbers) {
  return std::as_writable_bytes(std::span<T>(numbers));
}

}  // namespace

Communicator::Communicator(const std::function<std::unique_ptr<Transport>()>& connect) {
  std::promise<void> connected;
  std::future<void> result = connected.get_future();
  thread_ = std::thread([&] { serve(connect, connected); });
  try {
    result.get();
    hosts_ = gather(host_name());
  } catch (...) {
    close();
    throw;
  }
}

Communicator::~Communicator() {
  if (thread_.joinable()) close();
}

void Communicator::close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

std::string Communicator::name_of(int rank) const {
  return concat("rank ", rank, " on ", hosts_[static_cast<std::size_t>(rank)]);
}

std::future<void> Communicator::start(std::function<void()> operation) {
  std::packaged_task<void()> task(std::move(operation));
  std::future<void> result = task.get_future();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(task));
  }
  wakes_.notify_one();
  return result;
}

void Communicator::run(std::function<void()> operation) {
  std::future<void> result = start(std::move(operation));
  wait(result);
}

void Communicator::wait(std::future<void>& operation) {
  operation.get();
}

std::future<void> Communicator::start_sum(std::span<float> numbers, std::shared_ptr<void> keep) {
  if (size_ > 1) return start([this, numbers, owner = std::move(keep)] { sum(numbers); });
  std::promise<void> done;
  done.set_value();
  return done.get_future();
}

std::vector<double> Communicator::gather(std::span<const double> numbers) {
  std::vector<double> all(numbers.size() * static_cast<std::size_t>(size_));
  std::copy(numbers.begin(), numbers.end(), all.begin());
  if (size_ > 1) {
    // A barrier sends one number, because it has none of its own.
    if (numbers.empty())
      gather(std::array{0.0});
    else
      run([&] { exchange_with_all(std::as_bytes(numbers), bytes_of(all)); });
  }
  return all;
}

std::vector<std::string> Communicator::gather(const std::string& text) {
  if (size_ == 1) return {text};
  std::vector<double> lengths = gather(std::array{static_cast<double>(text.size())});
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<char> own(longest + 1, '\0'), all(own.size() * static_cast<std::size_t>(size_));
  std::copy(text.begin(), text.end(), own.begin());
  run([&] { exchange_with_all(std::as_bytes(std::span<const char>(own)), bytes_of(all)); });
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < lengths.size(); ++rank)
    texts.emplace_back(all.data() + rank * own.size(), static_cast<std::size_t>(lengths[rank]));
  return texts;
}

void Communicator::broadcast(std::span<std::byte> bytes, int from) {
  if (size_ == 1 || bytes.empty()) return;
  run([&] {
    std::vector<Message> sends;
    for (int peer = 0; rank_ == from && peer < size_; ++peer)
      if (peer != from) sends.push_back({peer, bytes});
    const std::array<Message, 1> receive{Message{from, bytes}};
    exchange(sends, rank_ == from ? std::span<const Message>() : receive);
  });
}

// The ranks with the most frequent checksum are right; of two equally frequent ones, that of the lower rank.
void Communicator::compare(const std::vector<double>& checksum, const std::string& where) {
  const std::vector<double> all = gather(checksum);
  using Sum = std::vector<double>;
  std::vector<Sum> sums;
  std::map<Sum, std::int64_t> frequency;
  for (auto begin = all.begin(); begin != all.end(); begin += std::ssize(checksum)) {
    sums.emplace_back(begin, begin + std::ssize(checksum));
    ++frequency[sums.back()];
  }
  Sum usual = sums.front();
  for (const Sum& sum : sums)
    if (frequency[sum] > frequency[usual]) usual = sum;
  std::string different, same;
  for (int rank = 0; rank < size_; ++rank) {
    const bool agrees = sums[static_cast<std::size_t>(rank)] == usual;
    if (!agrees) different += concat(different.empty() ? "" : ", ", name_of(rank));
    if (agrees && same.empty()) same = name_of(rank);
  }
  if (!different.empty()) throw SharedError(concat(where, " of ", different, " differ from those of ", same));
}

std::string Communicator::end(const std::string& error) {
  if (size_ == 1) return error;
  std::future<std::string> result;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_) return failure_->prints() ? failure_->what() : "";
    own_error_ = error;
    result = to_print_.get_future();
  }
  wakes_.notify_one();
  return result.get();
}

Traffic Communicator::traffic() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return traffic_;
}

}  // namespace umbra
