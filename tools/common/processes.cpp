#include "tools/common/processes.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iostream>
#include <new>
#include <sstream>
#include <thread>

#include "engine/dist/cores.h"
#include "engine/dist/launch.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

using Seconds = std::chrono::duration<double>;

// Prints an error that ends the job, and ends this tool. The job ends with the communicator, after that: a process that
// does not print is ended by the one that does. Should that one be lost or busy, the next one prints.
[[noreturn]] void report(const std::string& tool, const std::string& sentence, bool prints,
                         Communicator& world) {
  constexpr double kGrace = 5, kGracePerRank = 0.2;
  std::fflush(stdout);
  if (!prints) std::this_thread::sleep_for(Seconds(kGrace + kGracePerRank * world.rank()));
  std::cerr << tool << ": " << sentence << std::endl;
  world.has_printed();
  throw Reported(sentence, 1);
}

// The same for what all processes throw at the same point. None ends before the first one has printed: mpirun and srun
// end all processes when one has ended with an error.
[[noreturn]] void report_together(const std::string& tool, const std::string& sentence, int status,
                                  Communicator& world) {
  std::fflush(stdout);
  if (world.first()) std::cerr << tool << ": " << sentence << std::endl;
  try {
    world.barrier();
  } catch (const JobFailed&) {  // the sentence has been printed
  }
  throw Reported(sentence, status);
}

[[noreturn]] void end_job(const std::string& tool, const std::string& error, Communicator& world) {
  const std::string sentence = world.end(error);
  report(tool, sentence.empty() ? concat(world.name_of(world.rank()), ": ", error) : sentence,
         !sentence.empty(), world);
}

// Before the processes have met none has read its settings.
constexpr const char* kMeetingVariable = "UMBRA_MEETING_TIMEOUT";
constexpr int kMeetingSeconds = 600;

// The seconds within which all processes meet; 0 if the variable does not contain such a number.
int meeting_seconds() {
  const char* text = std::getenv(kMeetingVariable);
  if (text == nullptr) return kMeetingSeconds;
  int seconds = 0;
  const auto [end, problem] = std::from_chars(text, text + std::strlen(text), seconds);
  return problem == std::errc() && *end == '\0' && seconds > 0 ? seconds : 0;
}

// What on_late() prints.
std::string late;

void on_late(int /*signal*/) {
  const ssize_t ignored = ::write(STDERR_FILENO, late.data(), late.size());
  static_cast<void>(ignored);
  ::_exit(1);
}

// MPI itself waits for ever for a process that ends without having started it.
std::unique_ptr<Communicator> meet(const std::string& tool) {
  const Launch launch = launched();
  if (launch.size == 1) return make_world();
  const int given = meeting_seconds();
  // Each waits a second longer than the one before it, which has ended the job by then. Where the launcher does not end
  // jobs, all print, and the last one of many should not wait for hours.
  constexpr int kMostAfterTheFirst = 60;
  const unsigned seconds = static_cast<unsigned>(given > 0 ? given : kMeetingSeconds) +
                           static_cast<unsigned>(std::min(launch.rank, kMostAfterTheFirst));
  late = concat(tool, ": rank ", launch.rank, " has waited ", seconds, " s for the ", launch.size,
                " processes that ", launch.launcher, " started: one of them does not run ", tool,
                ", has not started yet or cannot be reached; ", kMeetingVariable,
                " sets another number of seconds\n");
  const auto before = std::signal(SIGALRM, on_late);
  ::alarm(seconds);
  std::unique_ptr<Communicator> world = make_world();
  ::alarm(0);
  std::signal(SIGALRM, before);
  return world;
}

// The words of a command line that all processes must have, each followed by a line break.
std::string common(const std::vector<std::string>& arguments) {
  std::string text;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool data = arguments[i].starts_with("--data=") || (i > 0 && arguments[i - 1] == "--data");
    if (!data) text += arguments[i] + '\n';
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Throws SharedError, with the first word that differs.
void compare_arguments(const std::vector<std::string>& arguments, Communicator& world) {
  const std::vector<std::string> all = world.gather(common(arguments));
  const std::vector<std::string> first = lines_of(all.front());
  for (int rank = 1; rank < world.size(); ++rank) {
    const std::vector<std::string> other = lines_of(all[static_cast<std::size_t>(rank)]);
    if (other == first) continue;
    std::size_t i = 0;
    while (i < first.size() && i < other.size() && first[i] == other[i]) ++i;
    const auto word = [i](const std::vector<std::string>& words) {
      return i < words.size() ? shell_word(words[i]) : "nothing";
    };
    throw SharedError(concat("all processes need the same arguments, but ", world.name_of(rank), " has ",
                             word(other), " where ", world.name_of(0), " has ", word(first)));
  }
}

}  // namespace

void run_processes(const std::string& tool, const std::vector<std::string>& arguments,
                   const std::function<void(Communicator&)>& body) {
  // mpirun gives every process a terminal of its own, also where its output is a file: lines that are redrawn would be
  // printed one after another.
  if (launched().launcher == "mpirun") setenv("TERM", "dumb", 1);
  const std::unique_ptr<Communicator> world = meet(tool);
  if (world->size() == 1) return body(*world);
  try {
    compare_arguments(arguments, *world);
    if (meeting_seconds() == 0)
      fail(kMeetingVariable, "=", shell_word(std::getenv(kMeetingVariable)),
           ": expected a whole number of seconds, at least 1");
    const int threads = fair_threads(*world);
    if (std::getenv("OMP_NUM_THREADS") == nullptr) omp_set_num_threads(threads);
    require(world->first() || std::freopen("/dev/null", "w", stdout) != nullptr,
            "/dev/null cannot be opened for the output");
    body(*world);
  } catch (const Stopped& stopped) {  // by a signal that all agreed on
    report_together(tool, stopped.what(), 128 + stopped.signal(), *world);
  } catch (const SharedError& error) {
    report_together(tool, error.what(), 1, *world);
  } catch (const JobFailed& failed) {
    report(tool, failed.what(), failed.prints(), *world);
  } catch (const std::bad_alloc&) {
    end_job(tool, "not enough memory for this run", *world);
  } catch (const std::exception& error) {
    end_job(tool, error.what(), *world);
  }
}

void take_time(Communicator& world, const std::function<void()>& body) {
  if (world.size() == 1) return body();
  constexpr Seconds kBetweenAnswers(0.2);
  std::promise<bool> done;  // whether without an exception
  std::future<void> answers = std::async(std::launch::async, [&, ended = done.get_future()]() mutable {
    for (;;) {
      const bool working = ended.valid() && ended.wait_for(kBetweenAnswers) != std::future_status::ready;
      if (!working && ended.valid() && !ended.get()) return;
      const std::vector<double> all = world.gather(std::array{working ? 1.0 : 0.0});
      if (std::count(all.begin(), all.end(), 0.0) == std::ssize(all)) return;
    }
  });
  try {
    body();
  } catch (...) {
    done.set_value(false);
    throw;
  }
  done.set_value(true);
  answers.get();
}

void first_process(Communicator& world, const std::function<void()>& body) {
  if (world.size() == 1) return body();
  std::string problem;
  take_time(world, [&] {
    try {
      if (world.first()) body();
    } catch (const Error& error) {
      problem = error.what();
    }
  });
  problem = world.gather(problem).front();
  if (!problem.empty()) throw SharedError(problem);
}

}  // namespace umbra
