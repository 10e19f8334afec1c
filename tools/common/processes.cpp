#include "tools/common/processes.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <new>
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

}  // namespace

void run_processes(const std::string& tool, const std::function<void(Communicator&)>& body) {
  // mpirun gives every process a terminal of its own, also where its output is a file: lines that are redrawn would be
  // printed one after another.
  if (launched().size > 1) setenv("TERM", "dumb", 1);
  const std::unique_ptr<Communicator> world = make_world();
  if (world->size() == 1) return body(*world);
  try {
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
