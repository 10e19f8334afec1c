// Communicator: how the job ends. Exactly one process prints why, so all of them must agree on the reason: it is what one
// process announces to all others.
#include <algorithm>
#include <utility>

#include "engine/dist/communicator.h"
#include "engine/dist/waiting.h"

namespace umbra {
namespace {

constexpr double kSecondsToAnnounce = 2, kSecondsToCollect = 2;
// Between a roll call of a process and its answer to another one's.
constexpr double kSecondsToYield = 1;

// The lowest rank that is not lost prints.
int printing_rank(const Notice& notice) {
  int rank = 0;
  while (std::find(notice.lost.begin(), notice.lost.end(), rank) != notice.lost.end()) ++rank;
  return rank;
}

}  // namespace

std::vector<int> Communicator::others() const {
  std::vector<int> ranks;
  for (int rank = 0; rank < size_; ++rank)
    if (rank != rank_) ranks.push_back(rank);
  return ranks;
}

// That these do not answer.
Notice Communicator::loss_of(std::vector<int> ranks, double seconds) const {
  Notice loss{"", std::move(ranks), rank_};
  for (const int rank : loss.lost)
    loss.sentence += concat(loss.sentence.empty() ? "" : ", ", known_name_of(rank));
  loss.sentence += concat(loss.lost.size() == 1 ? " has" : " have", " not answered for ", seconds, " s");
  return loss;
}

// Those that have not taken part in the operation under way.
Notice Communicator::late_processes() const {
  return loss_of(transport_->missing(), timeout_);
}

// Because of what this process has found, unless another one has announced a reason already. The others know it before this
// process gives up messages that they wait for.
void Communicator::end_with(const Notice& notice) {
  transport_->give_up();
  while (const std::optional<Notice> other = transport_->notice())
    if (other->kind == Notice::Kind::kEnd) fail_with(*other);
  transport_->announce(notice, others(), kSecondsToAnnounce);
  fail_with(notice);
}

void Communicator::fail_with(const Notice& notice) {
  transport_->give_up();
  if (devices_) devices_->transport().abort();
  const std::string sentence =
      notice.lost.empty() ? concat(known_name_of(notice.from), ": ", notice.sentence) : notice.sentence;
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_.emplace(sentence, rank_ == printing_rank(notice));
  if (own_error_) to_print_.set_value(failure_->prints() ? sentence : "");  // end() was called meanwhile
  throw JobFailed(*failure_);
}

// A notice that arrives within `seconds`. One that is there counts even if this process looks for it too late.
std::optional<Notice> Communicator::notice_within(double seconds) {
  for (const Clock::time_point start = Clock::now();; std::this_thread::sleep_for(kPause)) {
    end_if_own_error();
    const bool late = seconds_since(start) >= seconds;
    std::optional<Notice> notice = transport_->notice();
    if (notice && notice->kind == Notice::Kind::kEnd) fail_with(*notice);
    if (notice || late) return notice;
  }
}

// After an error whose reason may be another process. Those that do not answer within `seconds` are lost. If all answer,
// the reason is `sentence` or, where `elsewhere` means that it only follows from another error, the first one that is in an
// answer. Where several processes call the roll, the lowest of their ranks judges, and the others wait for what it finds.
void Communicator::call_roll(const std::string& sentence, bool elsewhere, double seconds) {
  transport_->give_up();
  transport_->announce({sentence, {}, rank_, Notice::Kind::kRollCall}, others(), kSecondsToAnnounce);
  Notice reason{sentence, {}, rank_};
  bool follows = elsewhere;
  std::vector<int> silent = others();
  double end = seconds;
  for (const Clock::time_point start = Clock::now(); !silent.empty();) {
    const std::optional<Notice> notice = notice_within(end - seconds_since(start));
    if (!notice) break;
    if (notice->kind == Notice::Kind::kRollCall) {
      if (notice->from < rank_) answer_roll(notice->from, elsewhere ? error_of_devices() : sentence);
      end = std::max(end, seconds_since(start) + kSecondsToYield);  // the sender is there
      continue;
    }
    std::erase(silent, notice->from);
    if (follows && !notice->sentence.empty()) {
      reason = {notice->sentence, {}, notice->from};
      follows = false;
    }
  }
  end_with(silent.empty() ? reason : loss_of(std::move(silent), seconds));
}

// The process `judge` has called the roll. It says why the job ends; `error` is one of this process, or empty.
void Communicator::answer_roll(int judge, const std::string& error) {
  transport_->give_up();
  const Notice answer{error, {}, rank_, Notice::Kind::kAnswer};
  const double seconds = timeout_ + kSecondsToAnnounce + kSecondsToCollect;
  transport_->announce(answer, std::span(&judge, 1), kSecondsToAnnounce);
  for (Clock::time_point start = Clock::now();;) {
    const std::optional<Notice> notice = notice_within(seconds - seconds_since(start));
    if (!notice) break;
    if (notice->kind != Notice::Kind::kRollCall || notice->from >= judge) continue;
    judge = notice->from;
    transport_->announce(answer, std::span(&judge, 1), kSecondsToAnnounce);
    start = Clock::now();
  }
  end_with(loss_of({judge}, seconds));
}

// An error of this process that it has not noticed yet.
std::string Communicator::error_of_devices() {
  try {
    if (devices_) devices_->transport().ready();
  } catch (const MessagesFailed& error) {
    return error.elsewhere() ? "" : error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void Communicator::end_if_own_error() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!own_error_) return;
  }
  announce_own_error();
  throw JobFailed(*failure_);
}

void Communicator::announce_own_error() {
  transport_->give_up();
  transport_->announce({*own_error_, {}, rank_}, others(), kSecondsToAnnounce);
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
