#include "tools/learn/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "engine/base/error.h"

namespace umbra::learn {
namespace {

// Starts a program. Unless `output` is negative, its output goes to that descriptor, and its input is empty.
pid_t start(const std::vector<std::string>& command, int output) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::fflush(nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  require(child >= 0, "cannot start ", command.front(), ": ", std::strerror(errno));
  if (child > 0) return child;
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

int wait_for(pid_t child) {
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
  require(ended == child, "cannot wait for a program: ", std::strerror(errno));  // SIGCHLD may be ignored
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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

}  // namespace umbra::learn
