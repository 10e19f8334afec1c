// Communicator: the processes of a job that train one network together, and what they do together. Sums add the numbers
// of the processes in the order of their ranks, so that a fixed number of processes computes the same bits in every run.
//
// Every process calls the same operations in the same order. A thread of the communicator carries them out one after
// another; no other thread uses the transport (MPI_THREAD_FUNNELED is all that is needed of MPI). A process that does not
// answer within the time-out, or that ends with an error, ends the job on all processes, and one of them prints why.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/base/error.h"
#include "engine/dist/device_sums.h"
#include "engine/dist/transport.h"

namespace umbra {

/// Ends the job on every process: one does not answer or has failed. One of the processes prints the sentence.
class JobFailed : public Error {
 public:
  /// `prints`: whether this process is the one that prints it.
  JobFailed(const std::string& sentence, bool prints) : Error(sentence), prints_(prints) {}
  /// Whether this process prints the sentence.
  bool prints() const { return prints_; }

 private:
  bool prints_;
};

/// An error that every process of the job throws at the same point, with the same text. The first one prints it.
class SharedError : public Error {
 public:
  using Error::Error;
};

/// What this process has sent and received so far.
struct Traffic {
  std::int64_t operations = 0;      ///< sums, gathers and broadcasts
  std::int64_t messages = 0;        ///< sent to other processes
  std::int64_t bytes_sent = 0;      ///< in these messages
  std::int64_t bytes_received = 0;  ///< in messages from other processes
};

/// A sum that has been carried out, of Communicator::transfers().
struct Transfer {
  using Time = std::chrono::steady_clock::time_point;
  std::int64_t bytes = 0;  ///< of the numbers
  Time queued{};           ///< when start_sum() was called
  Time started{};          ///< when the first message was sent
  Time ended{};            ///< when the last sum had arrived
};

/// A group of processes. Numbers are in the memory of the host, except where a function names a GPU. Its functions, except
/// for traffic(), are called from one thread at a time.
class Communicator {
 public:
  /// One process: all operations return at once, and there is no thread.
  Communicator() = default;
  /// Several: `connect` is called, and its result used and destroyed, in the thread of the communicator. Does not wait for
  /// the other processes: one that is missing is found by the first operation.
  explicit Communicator(const std::function<std::unique_ptr<Transport>()>& connect);
  /// Waits for operations under way and, with GPUs, for the other processes to come here, too. After a failure, ends all
  /// processes of the job with exit status 1; so does a process that does not come within the time-out, which none prints.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// The place of this process.
  int rank() const { return rank_; }
  /// The number of processes.
  int size() const { return size_; }
  /// Whether this is the process that writes and prints.
  bool first() const { return rank_ == 0; }
  /// "rank 2 on node07"
  std::string name_of(int rank) const;
  /// Seconds after which an operation fails in which another process does not take part; 300 at first.
  void set_timeout(double seconds) { timeout_ = seconds; }

  /// Replaces the numbers by their sums over all processes, added in the order of the ranks. All processes give the same
  /// count. The numbers must not be used until wait() has been called on the result. `keep` owns their memory; it is held
  /// until transfers() is called, and released by the caller's thread, because an Arena is used by one thread only.
  [[nodiscard]] std::future<void> start_sum(std::span<float> numbers, std::shared_ptr<void> keep);
  /// To be called once or more by all processes with the device on which each computes, before numbers on GPUs are added:
  /// connects the GPUs (with NCCL, whose calls the thread of the communicator makes). `add` is called in that thread; on a
  /// CPU it may be null. Throws SharedError unless all compute on CPUs or each on a GPU of its own; Error without NCCL;
  /// JobFailed.
  void join_devices(Device device, const AddOnDevice& add);
  /// Returns the messages between the GPUs. Called in the thread of the communicator.
  using ConnectDevices = std::function<std::unique_ptr<DeviceTransport>()>;
  /// What join_devices() does after its checks, with the messages that `connect` returns. Throws JobFailed.
  void connect_devices(Device device, const AddOnDevice& add, const ConnectDevices& connect);
  /// The same as start_sum() of numbers on the host, for numbers in the memory of the GPU of join_devices().
  [[nodiscard]] std::future<void> start_sum(const DeviceNumbers& numbers, std::shared_ptr<void> keep);
  /// Waits for an operation under way. Throws JobFailed.
  void wait(std::future<void>& operation);
  /// The numbers of all processes, in the order of the ranks: [size][numbers.size()]. All processes give the same
  /// count. Throws JobFailed, as all functions below.
  std::vector<double> gather(std::span<const double> numbers);
  /// The bytes of all processes, in the order of the ranks: [size][bytes.size()].
  std::vector<std::byte> gather_bytes(std::span<const std::byte> bytes);
  /// The texts of all processes, in the order of the ranks.
  std::vector<std::string> gather(const std::string& text);
  /// Overwrites the bytes of all processes with those of the process `from`. All give the same count.
  void broadcast(std::span<std::byte> bytes, int from);
  /// Waits until all processes have called it.
  void barrier() { gather(std::array{0.0}); }
  /// Throws SharedError, which begins with `where` and names the processes, if checksums differ.
  void compare(const std::vector<double>& checksum, const std::string& where);

  /// Ends the job because of an error of this process: the others throw JobFailed in the operation under way or in the
  /// next one. Returns the sentence that this process shall print, empty if another prints it: where all processes end
  /// with the same error, the sentence is the error itself.
  std::string end(const std::string& error);
  /// To be called by a process that has printed why the job fails although another one should have: it then ends the job
  /// at once.
  void has_printed() { printed_ = true; }
  /// What this process has sent and received.
  Traffic traffic() const;
  /// The sums since the last call, in the order of start_sum(), whose memory is released. To be called when none is under
  /// way.
  std::vector<Transfer> transfers();

 private:
  std::future<void> start(std::function<void()> operation);
  std::future<void> start_transfer(std::int64_t bytes, std::shared_ptr<void> keep, std::function<void()> sum);
  void run(std::function<void()> operation);
  void close();

  std::string known_name_of(int rank) const;  // "on a host" before the processes have met

  // The functions below run in the thread of the communicator (communicator_thread.cpp, communicator_devices.cpp).
  using Connect = std::function<std::unique_ptr<Transport>()>;
  void serve(const Connect& connect, std::promise<void>& connected);
  void answer();
  void leave();
  void exchange_names();
  void exchange(std::span<const Message> sends, std::span<const Message> receives);
  void exchange_with_all(std::span<const std::byte> own, std::span<std::byte> all);
  void require_no_failure() const;
  void wait_until(const std::function<bool()>& done, const std::function<void()>& late);
  void sum(std::span<float> numbers);
  void on_devices(const std::function<void()>& operation);
  void wait_for_devices(const std::function<bool()>& done);
  void sum_on_devices(const DeviceNumbers& numbers);
  void leave_devices();

  // How the job ends (communicator_failure.cpp), in the same thread.
  std::vector<int> others() const;
  Notice loss_of(std::vector<int> ranks, double seconds) const;
  Notice late_processes() const;
  [[noreturn]] void end_with(const Notice& notice);
  [[noreturn]] void fail_with(const Notice& notice);
  [[noreturn]] void call_roll(const std::string& sentence, bool elsewhere, double seconds);
  [[noreturn]] void answer_roll(int judge, const std::string& error);
  std::optional<Notice> notice_within(double seconds);
  std::string error_of_devices();
  void end_if_own_error();
  void announce_own_error();
  std::string sentence_to_print(const std::string& error);

  int rank_ = 0, size_ = 1;
  std::vector<std::string> hosts_{""};   // of all processes
  std::shared_future<void> introduced_;  // hosts_ is complete, or the job has failed
  std::atomic<double> timeout_{300};
  std::atomic<bool> printed_{false};  // has_printed()
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<DeviceSums> devices_;
  std::vector<float> parts_;                 // of sum(), kept between calls
  std::vector<std::shared_ptr<void>> kept_;  // the memory of sums
  std::optional<Device> joined_;             // of join_devices()
  std::vector<std::byte> begun_;             // who has begun an operation on GPUs: one byte per process
  std::thread thread_;
  std::condition_variable wakes_;
  mutable std::mutex mutex_;  // of all members below
  std::deque<std::packaged_task<void()>> queue_;
  bool closing_ = false;
  std::optional<std::string> own_error_;  // of end(), to be announced
  std::promise<std::string> to_print_;    // the result of end()
  std::optional<JobFailed> failure_;      // of every further operation
  Traffic traffic_;
  std::vector<Transfer> transfers_;
};

}  // namespace umbra
