#include "tools/common/processes.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "engine/dist/launch.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

// Prints what this process shall print of an error that ends the job. The job ends with the communicator, after that.
[[noreturn]] void report(const std::string& tool, const std::string& sentence) {
  std::fflush(stdout);
  if (!sentence.empty()) std::cerr << tool << ": " << sentence << std::endl;
  throw Reported(sentence);
}

}  // namespace

void run_processes(const std::string& tool, const std::function<void(Communicator&)>& body) {
  // mpirun gives every process a terminal of its own, also where its output is a file: lines that are redrawn would be
  // printed one after another.
  if (launched().size > 1) setenv("TERM", "dumb", 1);
  const std::unique_ptr<Communicator> world = make_world();
  if (world->size() == 1) return body(*world);
  if (!world->first() && std::freopen("/dev/null", "w", stdout) == nullptr)
    fail("/dev/null cannot be opened for the output of ", world->name_of(world->rank()));
  try {
    body(*world);
  } catch (const Stopped&) {
    throw;  // by a signal that all agreed on
  } catch (const SharedError&) {
    throw;
  } catch (const JobFailed& failed) {
    report(tool, failed.prints() ? failed.what() : "");
  } catch (const std::bad_alloc&) {
    report(tool, world->end("not enough memory for this run"));
  } catch (const std::exception& error) {
    report(tool, world->end(error.what()));
  }
}

void first_process(Communicator& world, const std::function<void()>& body) {
  if (world.size() == 1) return body();
  std::string problem;
  try {
    if (world.first()) body();
  } catch (const Error& error) {
    problem = error.what();
  }
  problem = world.gather(problem).front();
  if (!problem.empty()) throw SharedError(problem);
}

}  // namespace umbra
