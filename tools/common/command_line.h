// The command line of a tool: parsing it, running, and converting errors and signals into a one-line message and an
// exit status. Only sources that declare options include it, because CLI11 takes seconds to compile.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "engine/base/error.h"
#include "engine/io/version.h"
#include "tools/common/tool.h"

namespace umbra {

/// A command line with umbra's conventions: --help without a short form, defaults shown. The tool adds its
/// options.
class ToolApp : public CLI::App {
 public:
  ToolApp(const std::string& description, const std::string& name) : CLI::App(description, name) {
    set_help_flag("--help", "print this help and exit");
    set_version_flag("--version", concat("umbra ", umbra::version()), "print the version and exit");
    option_defaults()->always_capture_default();
  }
};

/// Parses the command line with `app` (long options only), then calls `body`. Returns the exit status:
/// 0 success, 1 an error (one line on standard error; a standard output that cannot be written to is also an
/// error), 2 a wrong command line, 128 + signal after Stopped. A tool that a signal kills leaves no temporary
/// file, nor does one in which the HDF5 library crashes (engine/io/crash_guard.h).
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace umbra
