// Shared by all tools: how a tool ends, and checks of what a user wrote. The command line is in command_line.h.
#pragma once

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"

namespace umbra {

/// Thrown by a tool that stops in an orderly way after a signal.
class Stopped : public Error {
 public:
  Stopped(int signal, const std::string& what) : Error(what), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Thrown by a tool that ends with an error that has been printed, or that another process prints.
class Reported : public Error {
 public:
  /// `status`: of the tool.
  Reported(const std::string& what, int status) : Error(what), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// Handler of a signal: ends the process with that signal, without its temporary files.
void stop_at_once(int signal);

/// Throws Error, before the work starts, if `out` cannot be written, is one of `inputs` and would be lost, or
/// exists and `overwrite` (the option --overwrite) is not given. Inputs without a path are ignored.
void check_writable(const std::string& out, const std::vector<InputFile>& inputs, bool overwrite);

/// How far a word may be from the name of what it means.
enum class Spelling {
  kOtherName,  ///< another name of it, such as lr
  kMisspelt    ///< or a misspelt one
};

/// Quotes a word for a shell: "my run" becomes "'my run'", one with a tab "$'my\\011run'".
std::string shell_word(const std::string& text);

}  // namespace umbra
