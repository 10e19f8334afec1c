#include "tests/mutated/children.h"

#include <fcntl.h>
#include <omp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string_view>
#include <typeinfo>

#include "engine/base/error.h"
#include "engine/io/crash_guard.h"

namespace umbra::mutated {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

sigset_t child_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

void redirect(int descriptor, const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(kOtherException);
  ::close(file);
}

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

int try_to(const std::function<void()>& read) {
  try {
    read();
    return kRead;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return kRefused;
  } catch (const std::exception& error) {
    std::cerr << "an exception of type " << typeid(error).name() << ": " << error.what() << '\n';
  } catch (...) {
    std::cerr << "an exception of no known type\n";
  }
  return kOtherException;
}

// AddressSanitizer prints a warning for each allocation that it refuses; malloc() refuses it silently.
std::string without_remarks(const std::string& said) {
  std::istringstream lines(said);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (line.find("AddressSanitizer failed to allocate") == line.npos) kept += line + "\n";
  return kept;
}

[[noreturn]] void be_child(const std::filesystem::path& log, const std::function<void()>& read) {
  redirect(STDOUT_FILENO, "/dev/null");
  redirect(STDERR_FILENO, log.c_str());
  const sigset_t set = child_signal();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  limit(RLIMIT_CORE, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // one that loops must not outlive the test
  // A runaway reader must not exhaust the machine's memory; sanitizers map terabytes.
  if (std::string_view(UMBRA_SANITIZER).empty()) limit(RLIMIT_AS, rlim_t{4} << 30);
  omp_set_num_threads(1);
  handle_crashes("mutated_inputs");  // as in every tool before it reads
  std::exit(try_to(read));           // not _exit(): libraries clean up at exit, which may crash, too
}

}  // namespace

Children::Children(std::size_t slots) : slots_(slots) {
  const sigset_t set = child_signal();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);  // sigtimedwait() waits for it
}

bool Children::busy() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.child != 0; });
}

std::size_t Children::free_slot() const {
  const auto free =
      std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.child == 0; });
  return static_cast<std::size_t>(free - slots_.begin());
}

void Children::start(std::size_t slot, const std::filesystem::path& log, const std::function<void()>& read) {
  std::cout.flush();
  const pid_t child = ::fork();
  require(child >= 0, "no process can be started: ", std::strerror(errno));
  if (child == 0) be_child(log, read);
  slots_[slot] = {child, Clock::now(), false};
}

// Returns the seconds until the next one is over time.
double Children::end_late_children() {
  double left = kLongest;
  for (Slot& slot : slots_) {
    if (slot.child == 0 || slot.late) continue;
    const double spent = seconds_since(slot.start);
    if (spent >= kLongest) {
      slot.late = true;
      ::kill(slot.child, SIGKILL);
    } else {
      left = std::min(left, kLongest - spent);
    }
  }
  return left;
}

Ended Children::wait() {
  for (;;) {
    int status = 0;
    rusage usage{};
    const pid_t child = ::wait4(-1, &status, WNOHANG, &usage);
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const Slot& s) { return child > 0 && s.child == child; });
    if (slot != slots_.end()) {
      const Ended ended{static_cast<std::size_t>(slot - slots_.begin()), status, slot->late,
                        1e3 * seconds_since(slot->start), static_cast<double>(usage.ru_maxrss) / 1024};
      *slot = Slot{};
      return ended;
    }
    const double left = end_late_children();
    const timespec timeout{static_cast<time_t>(left), static_cast<long>(1e9 * (left - std::floor(left)))};
    const sigset_t set = child_signal();
    ::sigtimedwait(&set, nullptr, &timeout);
  }
}

std::string complaint(const Ended& ended, const std::string& printed, const std::string& file) {
  const std::string said = without_remarks(printed);
  if (ended.late) return concat("still busy after ", kLongest, " s, with ", ended.megabytes, " MB");
  if (WIFSIGNALED(ended.status))
    return concat("signal ", WTERMSIG(ended.status), ", ", ::strsignal(WTERMSIG(ended.status)));
  if (ended.megabytes > kLargest) return concat("took ", ended.megabytes, " MB");
  const int status = WEXITSTATUS(ended.status);
  if (status == kRead) return said.empty() ? "" : "read, but wrote on standard error";
  if (status != kRefused) return concat("exit status ", status);
  if (said.size() < 2 || said.find('\n') != said.size() - 1) return "refused, but not in one line";
  return said.find(file) == said.npos ? "refused without the name of the file" : "";
}

}  // namespace umbra::mutated
