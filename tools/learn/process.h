// Programs that the driver starts. They end when the driver is killed.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace umbra::learn {

/// Runs a program with the driver's input and output and returns its exit status, 128 + signal if one ended it.
int run_program(const std::vector<std::string>& command);

/// A program that has ended.
struct Ended {
  int status;          ///< as run_program() returns it
  std::string output;  ///< standard output and standard error
};
/// Runs a program without input and returns its output. Calls `slow` once if the program takes longer than a second.
Ended run_quietly(const std::vector<std::string>& command, const std::function<void()>& slow = {});

}  // namespace umbra::learn
