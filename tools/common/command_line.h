// The command line of a tool: parsing it, running, and converting errors and signals into a one-line message and an
// exit status. Only sources that declare options include it, because CLI11 takes seconds to compile.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/version.h"
#include "tools/common/tool.h"

namespace umbra {

/// A command line with umbra's conventions: long options only except for -h, defaults shown. The tool adds its
/// options.
class ToolApp : public CLI::App {
 public:
  ToolApp(const std::string& description, const std::string& name) : CLI::App(description, name) {
    set_help_flag("-h,--help", "print this help and exit");  // subcommands inherit it
    set_version_flag("--version", concat("umbra ", umbra::version()), "print the version and exit");
    option_defaults()->always_capture_default();
  }

  /// For a tool with settings key=value: the key that a word means, or nothing.
  std::function<std::string(const std::string& word, Spelling spelling)> setting_meant;
  /// The words of the command line, set by run_tool().
  std::vector<std::string> arguments;
  /// The place of this process among those that mpirun or srun started together to run this tool: the first one prints
  /// the help, and an error that all have.
  int rank = 0;
};

/// Adds --overwrite, for check_writable(); it replaces `what`.
CLI::Option* add_overwrite(CLI::App& command, bool& overwrite, const std::string& what = "the file in --out");

/// A check for a value that must be one of `words`; the message names the nearest.
CLI::Validator one_of(const std::vector<std::string>& words);

/// Parses the command line with `app`, then calls `body`. Returns the exit status:
/// 0 success, 1 an error (one line on standard error; a standard output that cannot be written to is also an
/// error), 2 a wrong command line, 128 + signal after Stopped. A tool that a signal kills leaves no temporary
/// file, nor does one in which the HDF5 library crashes (engine/io/crash_guard.h).
int run_tool(ToolApp& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace umbra
