// How the job ends, in every order of events that matters: a test plays the other processes and the GPUs.
#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <utility>

#include "tests/dist/mail.h"

namespace umbra {
namespace {

using Kind = Notice::Kind;
using testing_tools::Hooks;
using testing_tools::Mail;
using testing_tools::MailTransport;

constexpr double kTimeout = 0.1;

void sleep_longer_than_the_timeout() {
  std::this_thread::sleep_for(std::chrono::duration<double>(1.5 * kTimeout));
}

// Messages between GPUs. `state` is the result of ready(); it may throw.
struct Devices final : DeviceTransport {
  explicit Devices(std::function<bool(bool left)> state) : state_(std::move(state)) {}
  void exchange(std::span<const DeviceMessage>, std::span<const DeviceMessage>, const Stream&) override {}
  bool ready() override { return state_(leaving_); }
  void leave() override { leaving_ = true; }
  void abort() override {}
  std::function<bool(bool)> state_;
  bool leaving_ = false;
};

class Ending : public testing::Test {
 protected:
  // The communicator of one process. The others say their names.
  void make(int rank, int size) {
    rank_ = rank;
    const std::vector<std::byte> host(256, std::byte{0});
    for (int peer = 0; peer < size; ++peer) {
      if (peer != rank) mail_.send(peer, rank, host);
    }
    hooks_.abort = [this] { ++aborts_; };
    world_.emplace([this, size] { return std::make_unique<MailTransport>(mail_, rank_, size, hooks_); });
    world_->set_timeout(kTimeout);
    static_cast<void>(name(0));  // they have met
  }
  std::string name(int rank) { return world_->name_of(rank); }
  // The others begin an operation on GPUs.
  void begin() {
    for (int peer = 0; peer < world_->size(); ++peer)
      if (peer != rank_) mail_.send(peer, rank_, std::array{std::byte{1}});
  }
  void tell(int from, Kind kind, const std::string& sentence = "") {
    mail_.notify(rank_, {sentence, {}, from, kind});
  }
  // The sentence with which the job ends.
  std::string connect(const Communicator::ConnectDevices& connect) {
    begin();
    return sentence_of([&] { world_->connect_devices(Device{}, nullptr, connect); });
  }
  template <class Body>
  std::string sentence_of(const Body& body) {
    try {
      body();
    } catch (const JobFailed& failed) {
      world_->has_printed();
      return failed.what();
    }
    return "";
  }
  Mail mail_;
  Hooks hooks_;
  int rank_ = 0, aborts_ = 0;
  std::optional<Communicator> world_;
};

TEST_F(Ending, AProcessThatIsSilentAfterAnErrorOfTheGpuIsNamed) {
  make(0, 2);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { fail("CUDA: unspecified launch failure"); }),
            name(1) + " has not answered for 0.1 s");
}

TEST_F(Ending, AnErrorOfTheGpuIsReportedIfAllAnswer) {
  hooks_.announce = [&](Kind kind) {
    if (kind == Kind::kRollCall) tell(1, Kind::kAnswer);
  };
  make(0, 2);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { fail("CUDA: unspecified launch failure"); }),
            name(0) + ": CUDA: unspecified launch failure");
}

// The time-out is over before the reason is looked at, because messages are under way.
TEST_F(Ending, AReasonThatHasArrivedIsPreferredToTheTimeOut) {
  make(0, 2);
  tell(1, Kind::kEnd, "galaxies.h5: no such file");
  EXPECT_EQ(sentence_of([&] {
              world_->gather(std::array{1.0, 2.0});
            }),
            name(1) + ": galaxies.h5: no such file");
}

TEST_F(Ending, AProcessThatYieldsSendsTheErrorForWhichItCalledTheRoll) {
  hooks_.announce = [&](Kind kind) {
    if (kind == Kind::kRollCall) tell(0, Kind::kRollCall, "its own");
    if (kind == Kind::kAnswer) tell(0, Kind::kEnd, "the reason");
  };
  make(1, 3);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { throw MessagesFailed("no socket", false); }),
            name(0) + ": the reason");
  ASSERT_EQ(mail_.notice(0)->kind, Kind::kRollCall);
  const std::optional<Notice> answer = mail_.notice(0);
  ASSERT_TRUE(answer && answer->kind == Kind::kAnswer);
  EXPECT_EQ(answer->sentence, "no socket");
}

TEST_F(Ending, AnErrorElsewhereIsThatOfAnAnswer) {
  hooks_.announce = [&](Kind kind) {
    if (kind != Kind::kRollCall) return;
    tell(1, Kind::kAnswer);
    tell(2, Kind::kAnswer, "a double-bit error");
  };
  make(0, 3);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { throw MessagesFailed("closed", true); }),
            name(2) + ": a double-bit error");
}

// The judge does not run for longer than the time-out, in which both answers arrive.
TEST_F(Ending, AnswersAreReadAfterTheTimeOut) {
  bool called = false;
  hooks_.announce = [&](Kind kind) { called = called || kind == Kind::kRollCall; };
  hooks_.look = [&] {
    if (!std::exchange(called, false)) return;
    sleep_longer_than_the_timeout();
    tell(1, Kind::kAnswer);
    tell(2, Kind::kAnswer);
  };
  make(0, 3);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { fail("no memory"); }),
            name(0) + ": no memory");
}

// The roll call of rank 1 arrives at the end of the time-out, and its answer after that.
TEST_F(Ending, AProcessThatCallsTheRollIsThere) {
  int looks = -1;  // since the roll call
  hooks_.announce = [&](Kind kind) {
    if (kind == Kind::kRollCall) looks = 0;
  };
  hooks_.look = [&] {
    if (looks < 0) return;
    ++looks;
    if (looks == 1) sleep_longer_than_the_timeout();
    if (looks == 1) tell(1, Kind::kRollCall);
    if (looks == 5) tell(1, Kind::kAnswer);
  };
  make(0, 2);
  EXPECT_EQ(connect([]() -> std::unique_ptr<DeviceTransport> { fail("no memory"); }),
            name(0) + ": no memory");
}

class Leaving : public Ending {
 protected:
  // Rank 1 leaves, too, and then answers no more.
  void leave(const std::function<bool(bool)>& state) {
    make(0, 2);
    EXPECT_EQ(connect([&] { return std::make_unique<Devices>(state); }), "");
    begin();
    leaves_ = true;
    world_.reset();
  }
  bool leaves_ = false;
};

TEST_F(Leaving, AnErrorOfNcclDoesNotMakeTheJobFail) {
  leave([](bool leaving) {
    return leaving ? throw MessagesFailed("closed by the other process", true) : true;
  });
  EXPECT_EQ(aborts_, 0);
}

TEST_F(Leaving, NcclIsNotWaitedForWithoutEnd) {
  leave([](bool leaving) { return !leaving; });
  EXPECT_EQ(aborts_, 0);
}

TEST_F(Leaving, AnErrorOfMpiEndsTheJob) {
  hooks_.start = [&] { require(!leaves_, "MPI: MPI_Isend failed"); };
  leave([](bool) { return true; });
  EXPECT_EQ(aborts_, 1);
}

}  // namespace
}  // namespace umbra
