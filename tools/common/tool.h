// What every tool does the same way: parse, run, and turn an exception into one sentence and an exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace umbra {

/// A command line with umbra's conventions: --help only, defaults shown. Options are added to it by its
/// owner.
class ToolApp : public CLI::App {
 public:
  ToolApp(const std::string& description, const std::string& name) : CLI::App(description, name) {
    set_help_flag("--help", "print this help and exit");
    option_defaults()->always_capture_default();
  }
};

/// Parses the command line with `app` (long options only), then calls `body`. Returns the exit status:
/// 0 done, 1 an error (one sentence on standard error), 2 a wrong command line.
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace umbra
