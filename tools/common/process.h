// Programs that a tool starts. They end when the tool is killed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace umbra {

/// Runs a program with the tool's input and output and returns its exit status, 128 + signal if one ended it.
int run_program(const std::vector<std::string>& command);

/// A program that has ended.
struct Ended {
  int status;          ///< as run_program() returns it
  std::string output;  ///< standard output and standard error
};
/// Runs a program without input and returns its output. Calls `slow` once if the program takes longer than a second.
Ended run_quietly(const std::vector<std::string>& command, const std::function<void()>& slow = {});

/// What a program took.
struct Cost {
  int status;                ///< as run_program() returns it
  double seconds;            ///< of the clock
  std::int64_t peak_memory;  ///< bytes: the largest resident set of the program or of one that it started
};
/// Runs a program without input and appends its output to the file `log`. Calls `meanwhile` up to ten times a second.
/// A signal that stop_signal() reports is passed on to the program, which can then end in an orderly way.
Cost run_logged(const std::vector<std::string>& command, const std::string& log,
                const std::function<void()>& meanwhile);

}  // namespace umbra
