#include "tools/common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "engine/base/error.h"
#include "tools/common/stop_signal.h"

namespace umbra {
namespace {

// Starts a program. Unless `output` is negative, its output goes to that descriptor, and its input is empty.
pid_t start(const std::vector<std::string>& command, int output) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::fflush(nullptr);
  // A signal between fork and exec would reach this program's handler in the child, and be lost.
  sigset_t stop, before;
  ::sigemptyset(&stop);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaddset(&stop, signal);
  ::sigprocmask(SIG_BLOCK, &stop, &before);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child != 0) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  require(child >= 0, "cannot start ", command.front(), ": ", std::strerror(errno));
  if (child > 0) return child;
  for (const int signal : {SIGINT, SIGTERM})
    if (::signal(signal, SIG_DFL) == SIG_IGN) ::signal(signal, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (output >= 0) {
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::close(output);
  }
  ::execvp(words[0], words.data());
  std::fprintf(stderr, "cannot start %s: %s\n", words[0], std::strerror(errno));
  ::_exit(127);
}

// Whether the program has ended: its exit status and what it used. With WNOHANG in `options` it does not wait.
bool has_ended(pid_t child, int options, int& status, rusage& used) {
  pid_t ended = 0;
  while ((ended = ::wait4(child, &status, options, &used)) < 0 && errno == EINTR) continue;
  require(ended == child || ended == 0, "cannot wait for a program: ",
          std::strerror(errno));  // SIGCHLD may be ignored
  status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended == child;
}

int wait_for(pid_t child) {
  int status = 0;
  rusage used{};
  has_ended(child, 0, status, used);
  return status;
}

}  // namespace

int run_program(const std::vector<std::string>& command) {
  return wait_for(start(command, -1));
}

Ended run_quietly(const std::vector<std::string>& command, const std::function<void()>& slow) {
  using Clock = std::chrono::steady_clock;
  int ends[2];
  require(::pipe2(ends, O_CLOEXEC) == 0, "cannot start ", command.front(), ": ", std::strerror(errno));
  const pid_t child = start(command, ends[1]);
  ::close(ends[1]);
  const auto begin = Clock::now();
  Ended ended{0, ""};
  bool waits = static_cast<bool>(slow);
  char buffer[4096];
  for (ssize_t got = 1; got > 0;) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
    if (waits && passed >= 1000) {
      slow();
      waits = false;
    }
    pollfd ready{ends[0], POLLIN, 0};
    const int left = waits ? 1000 - static_cast<int>(passed) : -1;
    if (::poll(&ready, 1, left) <= 0) continue;
    got = ::read(ends[0], buffer, sizeof buffer);
    if (got > 0) ended.output.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ended.status = wait_for(child);
  return ended;
}

Cost run_logged(const std::vector<std::string>& command, const std::string& log,
                const std::function<void()>& meanwhile) {
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  require(output >= 0, "cannot write '", log, "': ", std::strerror(errno));
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const pid_t child = start(command, output);
  ::close(output);
  Cost cost{0, 0, 0};
  rusage used{};
  for (bool passed_on = false; !has_ended(child, WNOHANG, cost.status, used);) {
    if (!passed_on && stop_signal() != 0) {
      ::kill(child, stop_signal());
      passed_on = true;
    }
    meanwhile();
    // A program of a moment is not kept waiting, one of minutes is asked ten times a second.
    ::poll(nullptr, 0, std::clamp(static_cast<int>(50 * seconds()), 1, 100));
  }
  cost.seconds = seconds();
  cost.peak_memory = std::int64_t{1024} * used.ru_maxrss;
  return cost;
}

}  // namespace umbra
