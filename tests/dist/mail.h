// A transport between threads of a program, or between a communicator and a test that plays the other processes.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/dist/communicator.h"

namespace umbra::testing_tools {

/// What has been sent but not received: messages by sender and receiver, notices by receiver.
class Mail {
 public:
  void send(int from, int to, std::span<const std::byte> bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    letters_[{from, to}].emplace_back(bytes.begin(), bytes.end());
  }
  bool receive(int from, int to, std::span<std::byte> bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::deque<std::vector<std::byte>>& letters = letters_[{from, to}];
    if (letters.empty()) return false;
    require(letters.front().size() == bytes.size(), "another message is expected");
    std::copy(letters.front().begin(), letters.front().end(), bytes.begin());
    letters.pop_front();
    return true;
  }
  void notify(int to, const Notice& notice) {
    const std::lock_guard<std::mutex> lock(mutex_);
    notices_[to].push_back(notice);
  }
  /// The first notice for `to`; while `waits`, not one that ends the job.
  std::optional<Notice> notice(int to, bool waits = false) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::deque<Notice>& notices = notices_[to];
    if (notices.empty() || (waits && notices.front().kind == Notice::Kind::kEnd)) return {};
    Notice first = notices.front();
    notices.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<int, int>, std::deque<std::vector<std::byte>>> letters_;
  std::map<int, std::deque<Notice>> notices_;
};

/// What a test does at some points of a MailTransport, in the communicator's thread.
struct Hooks {
  std::function<void()> start = [] {};                               ///< before messages are sent; may throw
  std::function<void()> look = [] {};                                ///< before it looks for a notice
  std::function<void(Notice::Kind)> announce = [](Notice::Kind) {};  ///< after a notice has been sent
  std::function<void()> abort = [] {};                               ///< when the job is ended
};

/// As that of MPI, it keeps back the end of the job while messages are under way, here for as long as they are.
class MailTransport final : public Transport {
 public:
  MailTransport(Mail& mail, int rank, int size, Hooks hooks = {})
      : mail_(mail), rank_(rank), size_(size), hooks_(std::move(hooks)) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void start(std::span<const Message> sends, std::span<const Message> receives) override {
    hooks_.start();
    for (const Message& m : sends) mail_.send(rank_, m.peer, m.bytes);
    awaited_.assign(receives.begin(), receives.end());
  }
  bool delivered() override {
    std::erase_if(awaited_, [&](const Message& m) { return mail_.receive(m.peer, rank_, m.bytes); });
    return awaited_.empty();
  }
  std::vector<int> missing() const override {
    std::vector<int> peers;
    for (const Message& m : awaited_) peers.push_back(m.peer);
    return peers;
  }
  void give_up() override { awaited_.clear(); }
  void announce(const Notice& notice, std::span<const int> to, double) override {
    for (const int peer : to) mail_.notify(peer, notice);
    hooks_.announce(notice.kind);
  }
  std::optional<Notice> notice() override {
    hooks_.look();
    return mail_.notice(rank_, !awaited_.empty());
  }
  void abort() override { hooks_.abort(); }

 private:
  Mail& mail_;
  int rank_, size_;
  Hooks hooks_;
  std::vector<Message> awaited_;
};

}  // namespace umbra::testing_tools
