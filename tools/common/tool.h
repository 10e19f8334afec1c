// What every tool does the same way: parse, run, and turn whatever ends it into one sentence and an exit
// status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/version.h"

namespace umbra {

/// A command line with umbra's conventions: --help only, defaults shown. Options are added to it by its
/// owner.
class ToolApp : public CLI::App {
 public:
  ToolApp(const std::string& description, const std::string& name) : CLI::App(description, name) {
    set_help_flag("--help", "print this help and exit");
    set_version_flag("--version", concat("umbra ", version()), "print the version and exit");
    option_defaults()->always_capture_default();
  }
};

/// A tool that ended in order because a signal asked it to.
class Stopped : public Error {
 public:
  Stopped(int signal, const std::string& what) : Error(what), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Parses the command line with `app` (long options only), then calls `body`. Returns the exit status:
/// 0 done, 1 an error (one sentence on standard error; a standard output that takes nothing is one, too), 2 a
/// wrong command line, 128 + signal after Stopped. A tool that a signal kills leaves no temporary file, nor
/// does one in which the HDF5 library crashes (engine/io/crash_guard.h).
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// Handler of a signal: ends the process with that signal, without its temporary files.
void stop_at_once(int signal);

/// Throws Error now when `out` cannot be written, or is one of `inputs` and would be lost, not after the
/// work. Inputs without a path are passed over.
void check_writable(const std::string& out, const std::vector<InputFile>& inputs);

/// A word that a shell takes as it is: "my run" becomes "'my run'", one with a tab "$'my\\011run'".
std::string shell_word(const std::string& text);

}  // namespace umbra
