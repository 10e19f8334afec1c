// The handlers only write a message, unlink files and end the process. They repair nothing and do not use
// longjmp.
#include "engine/io/crash_guard.h"

#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

#include "engine/io/atomic_file.h"
#include "engine/io/status_line.h"

namespace umbra {
namespace {

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kTick = 100'000;  // microseconds of CPU time of this process
constexpr int kMostTicks = 4;   // within one call

std::atomic<const char*> file_being_read{nullptr};
std::atomic<unsigned> call_number{0};
std::atomic<bool> may_take_long{false};
std::atomic<int> watches{0};
const char* program_name = nullptr;       // null: handle_crashes() was not called
alignas(16) char handler_stack[1 << 16];  // the usual stack may be exhausted

void say(const char* text) {
  const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(ignored);
}

[[noreturn]] void end_with(const char* file, const char* what) {
  remove_temporaries();
  clear_status_line();
  say(program_name);
  say(": file '");
  say(file);
  say("' is damaged: the HDF5 library ");
  say(what);
  say("\n");
  ::_exit(1);
}

void on_crash(int signal) {
  if (const char* file = file_being_read.load()) end_with(file, "crashed while reading it");
  remove_temporaries();
  clear_status_line();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void on_tick(int) {
  static unsigned last_call = 0;  // one timer, so one handler at a time
  static int ticks = 0;
  const char* file = file_being_read.load();
  const bool same = file != nullptr && !may_take_long && call_number == last_call;
  ticks = same ? ticks + 1 : 0;
  last_call = call_number;
  if (ticks >= kMostTicks) end_with(file, "does not finish reading it");
}

void set_timer(suseconds_t microseconds) {
  const itimerval timer{{0, microseconds}, {0, microseconds}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace

CrashGuard::CrashGuard(const char* file, Work work) noexcept : before_(file_being_read.exchange(file)) {
  if (before_ != nullptr) return;  // the outer guard counts
  ++call_number;
  may_take_long = work == Work::kNumbers;
}

CrashGuard::~CrashGuard() {
  file_being_read = before_;
}

LoopWatch::LoopWatch() {
  if (watches++ == 0 && program_name != nullptr) set_timer(kTick);
}

LoopWatch::~LoopWatch() {
  if (--watches == 0 && program_name != nullptr) set_timer(0);
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
  action.sa_handler = on_tick;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  ::sigaction(SIGPROF, &action, nullptr);
}

}  // namespace umbra
