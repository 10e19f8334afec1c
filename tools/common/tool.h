// Shared by all tools: parsing the command line, running, and converting errors and signals into a one-line
// message and an exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/version.h"

namespace umbra {

/// A command line with umbra's conventions: --help without a short form, defaults shown. The tool adds its
/// options.
class ToolApp : public CLI::App {
 public:
  ToolApp(const std::string& description, const std::string& name) : CLI::App(description, name) {
    set_help_flag("--help", "print this help and exit");
    set_version_flag("--version", concat("umbra ", version()), "print the version and exit");
    option_defaults()->always_capture_default();
  }
};

/// Thrown by a tool that stops in an orderly way after a signal.
class Stopped : public Error {
 public:
  Stopped(int signal, const std::string& what) : Error(what), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Parses the command line with `app` (long options only), then calls `body`. Returns the exit status:
/// 0 success, 1 an error (one line on standard error; a standard output that cannot be written to is also an
/// error), 2 a wrong command line, 128 + signal after Stopped. A tool that a signal kills leaves no temporary
/// file, nor does one in which the HDF5 library crashes (engine/io/crash_guard.h).
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// Handler of a signal: ends the process with that signal, without its temporary files.
void stop_at_once(int signal);

/// Throws Error, before the work starts, if `out` cannot be written or is one of `inputs` and would be lost.
/// Inputs without a path are ignored.
void check_writable(const std::string& out, const std::vector<InputFile>& inputs);

/// Quotes a word for a shell: "my run" becomes "'my run'", one with a tab "$'my\\011run'".
std::string shell_word(const std::string& text);

}  // namespace umbra
