// Processes that each read one file, and how they ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace umbra::mutated {

inline constexpr double kLongest = 10;         // seconds on the clock
inline constexpr double kLargest = 1024;       // MB resident
inline constexpr int kRead = 0, kRefused = 1;  // exit statuses of a child
inline constexpr int kOtherException = 3;

/// How a child ended.
struct Ended {
  std::size_t slot = 0;
  int status = 0;  // as wait() gives it
  bool late = false;
  double milliseconds = 0, megabytes = 0;
};

/// As many children at once as there are slots.
class Children {
 public:
  explicit Children(std::size_t slots);

  bool busy() const;
  /// The first slot without a child; size() when there is none.
  std::size_t free_slot() const;
  std::size_t size() const { return slots_.size(); }
  /// Calls `read` in a child of its own. Its standard output is dropped, its standard error and the message
  /// of an exception go to `log`.
  void start(std::size_t slot, const std::filesystem::path& log, const std::function<void()>& read);
  /// Waits for the next child to end, or ends it when its time is up.
  Ended wait();

 private:
  struct Slot {
    pid_t child = 0;  // 0: free
    std::chrono::steady_clock::time_point start;
    bool late = false;
  };
  double end_late_children();
  std::vector<Slot> slots_;
};

/// What is wrong with the way a child ended; "" if the file was read, or refused in one line that names
/// `file`. `said` is the child's standard error.
std::string complaint(const Ended& ended, const std::string& said, const std::string& file);

}  // namespace umbra::mutated
