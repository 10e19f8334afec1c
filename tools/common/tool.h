// What every tool does the same way: parse, run, and turn an exception into one sentence and an exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace umbra {

/// Parses the command line with `app` (long options only), then calls `body`. Returns the exit status:
/// 0 done, 1 an error (one sentence on standard error), 2 a wrong command line.
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace umbra
