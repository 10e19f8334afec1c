// What runs in a handler here writes, unlinks and ends the process: nothing is repaired, nothing is jumped
// over.
#include "engine/io/crash_guard.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

#include "engine/io/atomic_file.h"

namespace umbra {
namespace {

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::atomic<const char*> file_being_read{nullptr};
const char* program_name = "umbra";
alignas(16) char handler_stack[1 << 16];  // a crash may be the end of the usual one

void say(const char* text) {
  const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(ignored);
}

void on_crash(int signal) {
  const char* file = file_being_read.load();
  remove_temporaries();
  if (file != nullptr) {
    say(program_name);
    say(": file '");
    say(file);
    say("' is damaged: the HDF5 library crashed while reading it\n");
    ::_exit(1);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

CrashGuard::CrashGuard(const char* file) noexcept : before_(file_being_read.exchange(file)) {}

CrashGuard::~CrashGuard() {
  file_being_read = before_;
}

void handle_crashes(const char* program) {
  program_name = program;
  stack_t stack{};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;  // a crash in the handler ends the process
  for (const int signal : kCrashes) ::sigaction(signal, &action, nullptr);
}

}  // namespace umbra
