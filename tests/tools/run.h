// Running the tools as a user does, and looking at what they print, return and leave behind.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace umbra::testing_tools {

struct Outcome {
  int status;
  std::string output;  // standard output and standard error together
};

/// Runs a shell command in the build's tools folder; "train --help" finds the binary just built.
inline Outcome run(const std::string& command) {
  const std::string line = "cd '" UMBRA_BINARY_DIR "/tools' && export PATH=.:$PATH && " + command + " 2>&1";
  FILE* pipe = popen(("bash -c '" +
                      [&] {
                        std::string quoted;
                        for (char c : line) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
                        return quoted;
                      }() +
                      "'")
                         .c_str(),
                     "r");
  std::string text;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text};
}

inline std::string bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace umbra::testing_tools
