#include "tools/common/tool.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace umbra {
namespace {

// libgomp's threads spin for milliseconds at every barrier unless told otherwise before it is loaded. Beside
// other work on the same cores a spinning thread keeps the one it waits for from running, so umbra's tools
// spin for microseconds, then sleep. C = 20, 2 threads on 2 cores: alone 1340 boxes/s with libgomp's default
// and 1250 with this; beside two busy processes 160 and 440 to 580. OMP_WAIT_POLICY or GOMP_SPINCOUNT in the
// environment decide otherwise.
void spin_briefly_at_barriers(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns only when it fails, and then the tool runs as it is
}

}  // namespace

int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  spin_briefly_at_barriers(argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    body();
  } catch (const std::bad_alloc&) {
    std::cerr << app.get_name() << ": not enough memory for this run\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << error.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace umbra
