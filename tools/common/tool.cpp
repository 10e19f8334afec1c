#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include "engine/io/crash_guard.h"
#include "engine/io/status_line.h"
#include "tools/common/command_line.h"
#include "tools/common/wrong_words.h"

namespace umbra {
namespace {

// libgomp's threads spin for milliseconds at every barrier unless this is configured before libgomp is
// loaded. With other work on the same cores a spinning thread keeps the one it waits for from running, so
// umbra's tools spin for microseconds, then sleep. C = 20, 2 threads on 2 cores: alone 1340 boxes/s with
// libgomp's default and 1250 with this; with two other busy processes 160 and 440 to 580. OMP_WAIT_POLICY or
// GOMP_SPINCOUNT in the environment override it.
void spin_briefly_at_barriers(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns only on failure; the tool then continues unchanged
}

// The next file that is opened would get the descriptor of a closed stream, and the tool's output would be
// written into it. The replacement of a closed standard output is read-only, so writing to it is an error, as
// on a full disk.
void occupy_closed_streams() {
  constexpr int kModes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int stream = 0; stream < 3; ++stream)
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      static_cast<void>(::open("/dev/null", kModes[stream]));  // gets the lowest free descriptor, `stream`
}

void handle_signals(const char* program) {
  handle_crashes(program);
  std::signal(SIGXFSZ, SIG_IGN);  // the write that exceeds the limit reports the error
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    const auto before = std::signal(signal, stop_at_once);
    if (before == SIG_IGN) std::signal(signal, SIG_IGN);  // nohup
  }
}

// std::cout and printf share the buffer of stdout.
int checked_output(const std::string& program, int status) {
  const bool flushed = std::fflush(stdout) == 0;
  const std::string why = flushed ? "some of the output is missing" : std::strerror(errno);
  if (flushed && std::ferror(stdout) == 0) return status;
  std::cerr << program << ": standard output cannot be written: " << why << '\n';
  return status == 0 ? 1 : status;
}

// The other processes wait before they print: mpirun and srun end all when the first one has ended with an error. An error
// that it does not have is thus printed, too.
void print_error(const ToolApp& app, const std::string& sentence) {
  constexpr double kGrace = 1, kGracePerRank = 0.1;
  if (app.rank > 0)
    std::this_thread::sleep_for(std::chrono::duration<double>(kGrace + kGracePerRank * app.rank));
  std::cerr << sentence + '\n';
}

int run(ToolApp& app, int argc, char** argv, const std::function<void()>& body) {
  app.arguments.assign(argv + 1, argv + argc);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.rank > 0 ? 0 : app.exit(error);  // --help, --version
    print_error(app, sentence_about(error, app));
    return 2;
  }
  const auto say = [&](const char* what) { print_error(app, concat(app.get_name(), ": ", what)); };
  try {
    body();
  } catch (const Stopped& stopped) {
    say(stopped.what());
    return 128 + stopped.signal();
  } catch (const Reported& reported) {
    return reported.status();
  } catch (const std::bad_alloc&) {
    say("not enough memory for this run");
    return 1;
  } catch (const std::exception& error) {
    say(error.what());
    return 1;
  }
  return 0;
}

}  // namespace

CLI::Option* add_overwrite(CLI::App& command, bool& overwrite, const std::string& what) {
  return command.add_flag("--overwrite", overwrite, "replace " + what + " if it exists");
}

int run_tool(ToolApp& app, int argc, char** argv, const std::function<void()>& body) {
  occupy_closed_streams();
  spin_briefly_at_barriers(argv);
  ::prctl(PR_SET_NAME,
          app.get_name().c_str());  // in ps and for pkill: a program that starts itself again is "exe"
  handle_signals(app.get_name().c_str());
  return checked_output(app.get_name(), run(app, argc, argv, body));
}

void stop_at_once(int signal) {
  remove_temporaries();
  clear_status_line();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void check_writable(const std::string& out, const std::vector<InputFile>& inputs, bool overwrite) {
  refuse_input_as_output(out, inputs);
  const AtomicFile writable(out);
  std::error_code ignored;
  require(overwrite || !std::filesystem::exists(out, ignored), "cannot write '", out,
          "': it exists; --overwrite replaces it");
}

std::string shell_word(const std::string& text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+,:@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; });
  std::string word = control ? "$'" : "'";  // error messages must not contain control characters
  for (const char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (control && (static_cast<unsigned char>(c) < 32 || c == 127 || c == '\\' || c == '\''))
      word += code;
    else
      word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

}  // namespace umbra
