// The transport of MPI: non-blocking messages in host memory.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "engine/dist/world.h"

namespace umbra {
namespace {

constexpr int kMessageTag = 1, kNoticeTag = 2;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  fail("MPI: ", what, " failed: ", std::string(text, static_cast<std::size_t>(length)));
}

int count_of(std::span<const std::byte> bytes) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  require(bytes.size() <= kMost, "a message of ", bytes.size(), " bytes is larger than the ", kMost,
          " that MPI sends at once");
  return static_cast<int>(bytes.size());
}

// What it is, whose, the number of lost ranks, these ranks, and the sentence.
std::string text_of_notice(const Notice& notice) {
  std::ostringstream text;
  text << static_cast<int>(notice.kind) << ' ' << notice.from << ' ' << notice.lost.size() << ' ';
  for (const int rank : notice.lost) text << rank << ' ';
  text << notice.sentence;
  return text.str();
}

Notice notice_of_text(const std::string& text) {
  std::istringstream in(text);
  std::size_t lost = 0;
  int kind = 0, from = 0;
  in >> kind >> from >> lost;
  Notice notice{"", std::vector<int>(lost), from, static_cast<Notice::Kind>(kind)};
  for (int& rank : notice.lost) in >> rank;
  in.get();
  std::getline(in, notice.sentence, '\0');
  return notice;
}

class MpiTransport final : public Transport {
 public:
  MpiTransport() {
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    require(
        provided >= MPI_THREAD_FUNNELED,
        "this MPI supports no threads (MPI_THREAD_FUNNELED), which umbra needs to send while it computes");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(world_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(world_, &size_), "MPI_Comm_size");
  }
  ~MpiTransport() override { MPI_Finalize(); }
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void start(std::span<const Message> sends, std::span<const Message> receives) override {
    give_up();
    for (const Message& m : receives) {
      check(MPI_Irecv(m.bytes.data(), count_of(m.bytes), MPI_BYTE, m.peer, kMessageTag, world_, next(m.peer)),
            "MPI_Irecv");
    }
    received_ = requests_.size();
    for (const Message& m : sends) {
      check(MPI_Isend(m.bytes.data(), count_of(m.bytes), MPI_BYTE, m.peer, kMessageTag, world_, next(m.peer)),
            "MPI_Isend");
    }
  }

  // An error of a message is that of a peer that has died: its message remains missing until the time-out.
  bool delivered() override {
    bool all = dead_.empty();
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (requests_[i] == MPI_REQUEST_NULL) continue;
      int done = 0;
      if (MPI_Test(&requests_[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) dead_.insert(peers_[i]);
      all = all && done != 0;
    }
    return all && dead_.empty();
  }

  std::vector<int> missing() const override {
    std::vector<int> ranks(dead_.begin(), dead_.end());
    for (std::size_t i = 0; i < requests_.size(); ++i)
      if (requests_[i] != MPI_REQUEST_NULL) ranks.push_back(peers_[i]);
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
  }

  // A message that is being sent cannot be cancelled, but after a failure nothing more is sent.
  void give_up() override {
    for (std::size_t i = 0; i < received_; ++i) {
      if (requests_[i] == MPI_REQUEST_NULL) continue;
      MPI_Cancel(&requests_[i]);
      MPI_Request_free(&requests_[i]);
    }
    requests_.clear();
    peers_.clear();
    received_ = 0;
  }

  void announce(const Notice& notice, std::span<const int> to, double seconds) override {
    // Kept: a process that does not receive now may read it after the next one has been sent.
    std::string& text = announced_.emplace_back(text_of_notice(notice));
    std::vector<MPI_Request> sends;
    for (const int peer : to) {
      MPI_Isend(text.data(), static_cast<int>(text.size()), MPI_CHAR, peer, kNoticeTag, world_,
                &sends.emplace_back());
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (int done = 0; done == 0 && std::chrono::steady_clock::now() < end;) {
      MPI_Testall(static_cast<int>(sends.size()), sends.data(), &done, MPI_STATUSES_IGNORE);
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

  // The operation under way may still end, because its messages were sent before: where all processes have the same error
  // after it, each then has it by itself. Until it ends, a notice is kept back for a while, unless its sender waits for
  // an answer.
  std::optional<Notice> notice() override {
    constexpr auto kWhile = std::chrono::seconds(1);
    if (!kept_back_) {
      kept_back_ = receive_notice();
      kept_since_ = std::chrono::steady_clock::now();
    }
    const bool under_way = std::any_of(requests_.begin(), requests_.end(),
                                       [](MPI_Request request) { return request != MPI_REQUEST_NULL; });
    const bool may_wait = kept_back_ && kept_back_->kind == Notice::Kind::kEnd;
    if (may_wait && under_way && std::chrono::steady_clock::now() - kept_since_ < kWhile) return {};
    return std::exchange(kept_back_, std::nullopt);
  }

  void abort() override { MPI_Abort(MPI_COMM_WORLD, 1); }

 private:
  std::optional<Notice> receive_notice() {
    int found = 0, length = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kNoticeTag, world_, &found, &status) != MPI_SUCCESS || found == 0)
      return {};
    MPI_Get_count(&status, MPI_CHAR, &length);
    std::string text(static_cast<std::size_t>(length), '\0');
    MPI_Recv(text.data(), length, MPI_CHAR, status.MPI_SOURCE, kNoticeTag, world_, MPI_STATUS_IGNORE);
    return notice_of_text(text);
  }

  MPI_Request* next(int peer) {
    peers_.push_back(peer);
    return &requests_.emplace_back(MPI_REQUEST_NULL);
  }

  MPI_Comm world_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  std::deque<MPI_Request> requests_;  // receives first; their addresses do not change
  std::vector<int> peers_;            // of the requests
  std::size_t received_ = 0;          // number of receives
  std::set<int> dead_;                // peers whose messages ended with an error
  std::deque<std::string> announced_;
  std::optional<Notice> kept_back_;  // by notice()
  std::chrono::steady_clock::time_point kept_since_;
};

}  // namespace

std::unique_ptr<Transport> connect_with_mpi() {
  return std::make_unique<MpiTransport>();
}

}  // namespace umbra
