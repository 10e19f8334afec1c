// Communicator: what its caller sees. The operations run in communicator_thread.cpp.
#include "engine/dist/communicator.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

namespace umbra {
namespace {

constexpr std::size_t kHostName = 256;  // bytes, with the zero at its end

std::array<char, kHostName> host_name() {
  std::array<char, kHostName> name{"an unknown host"};
  ::gethostname(name.data(), name.size() - 1);
  return name;
}

}  // namespace

Communicator::Communicator(const std::function<std::unique_ptr<Transport>()>& connect) {
  std::promise<void> connected;
  std::future<void> result = connected.get_future();
  thread_ = std::thread([&] { serve(connect, connected); });
  try {
    result.get();
  } catch (...) {
    close();
    throw;
  }
  introduced_ = start([this] { exchange_names(); });
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
  if (introduced_.valid()) introduced_.wait();
  return known_name_of(rank);
}

std::string Communicator::known_name_of(int rank) const {
  return concat("rank ", rank, " on ", hosts_[static_cast<std::size_t>(rank)]);
}

void Communicator::exchange_names() {
  const std::array<char, kHostName> own = host_name();
  std::vector<char> all(kHostName * static_cast<std::size_t>(size_));
  exchange_with_all(std::as_bytes(std::span(own)), std::as_writable_bytes(std::span(all)));
  for (std::size_t rank = 0; rank < hosts_.size(); ++rank) hosts_[rank] = all.data() + rank * kHostName;
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

std::future<void> Communicator::start_transfer(std::int64_t bytes, std::shared_ptr<void> keep,
                                               std::function<void()> sum) {
  if (size_ > 1) {
    Transfer transfer{bytes, std::chrono::steady_clock::now()};
    kept_.push_back(std::move(keep));
    return start([this, transfer, add = std::move(sum)]() mutable {
      transfer.started = std::chrono::steady_clock::now();
      add();
      transfer.ended = std::chrono::steady_clock::now();
      const std::lock_guard<std::mutex> lock(mutex_);
      transfers_.push_back(transfer);
    });
  }
  std::promise<void> done;
  done.set_value();
  return done.get_future();
}

std::future<void> Communicator::start_sum(std::span<float> numbers, std::shared_ptr<void> keep) {
  return start_transfer(std::ssize(numbers) * std::int64_t{sizeof(float)}, std::move(keep),
                        [this, numbers] { sum(numbers); });
}

std::future<void> Communicator::start_sum(const DeviceNumbers& numbers, std::shared_ptr<void> keep) {
  require(size_ == 1 || (joined_ && joined_->kind != Device::Kind::kCpu),
          "numbers on a GPU are added, but the processes have not joined with their GPUs");
  return start_transfer(numbers.count * std::int64_t{sizeof(float)}, std::move(keep),
                        [this, numbers] { sum_on_devices(numbers); });
}

std::vector<std::byte> Communicator::gather_bytes(std::span<const std::byte> bytes) {
  std::vector<std::byte> all(bytes.size() * static_cast<std::size_t>(size_));
  if (size_ == 1)
    std::copy(bytes.begin(), bytes.end(), all.begin());
  else if (!bytes.empty())
    run([&] { exchange_with_all(bytes, all); });
  return all;
}

std::vector<double> Communicator::gather(std::span<const double> numbers) {
  const std::vector<std::byte> bytes = gather_bytes(std::as_bytes(numbers));
  std::vector<double> all(bytes.size() / sizeof(double));
  std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

std::vector<std::string> Communicator::gather(const std::string& text) {
  const std::vector<double> lengths = gather(std::array{static_cast<double>(text.size())});
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::string padded = text;
  padded.resize(longest);
  const std::vector<std::byte> all = gather_bytes(std::as_bytes(std::span<const char>(padded)));
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < lengths.size(); ++rank)
    texts.emplace_back(reinterpret_cast<const char*>(all.data()) + rank * longest,
                       static_cast<std::size_t>(lengths[rank]));
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

std::vector<Transfer> Communicator::transfers() {
  kept_.clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(transfers_, {});
}

Traffic Communicator::traffic() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return traffic_;
}

}  // namespace umbra
