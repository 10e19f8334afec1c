// Transport: messages between the processes of a job. A Communicator builds its operations from them, and uses its
// transport from one thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace umbra {

/// Bytes that are sent to or received from the process `peer`, at least one and fewer than 2^31.
struct Message {
  int peer;                    ///< rank of the other process
  std::span<std::byte> bytes;  ///< valid until the message has been delivered
};

/// What a process says to others when it ends the job.
struct Notice {
  /// What a process does that receives it.
  enum class Kind {
    kEnd,       ///< it ends, for the reason in the sentence
    kRollCall,  ///< it answers if it is still there, because another process may be the reason
    kAnswer,    ///< it is the one that called the roll; the sentence is an error of the sender, or empty
  };
  std::string sentence;    ///< for the user
  std::vector<int> lost;   ///< ranks that do not answer; empty if a process ends the job because of an error
  int from = 0;            ///< rank of the process whose error it is; of a roll call or an answer, its sender
  Kind kind = Kind::kEnd;  ///< what it is
};

/// Messages between a fixed number of processes.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;  ///< of this process
  virtual int size() const = 0;  ///< number of processes

  /// Starts to send and receive. Messages between two processes arrive in the order in which they were started. To be
  /// called when all messages of the call before have been delivered.
  virtual void start(std::span<const Message> sends, std::span<const Message> receives) = 0;
  /// Whether all messages of start() have been delivered.
  virtual bool delivered() = 0;
  /// The peers of those that have not, in ascending order.
  virtual std::vector<int> missing() const = 0;
  /// Gives up those that have not: their memory may then be released.
  virtual void give_up() = 0;

  /// Sends a notice to these other processes, which they find in notice(). Returns after at most `seconds`.
  virtual void announce(const Notice& notice, std::span<const int> to, double seconds) = 0;
  /// A notice from another process, if there is one.
  virtual std::optional<Notice> notice() = 0;
  /// Ends all processes of the job, with exit status 1.
  virtual void abort() = 0;
};

}  // namespace umbra
