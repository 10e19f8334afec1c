// Part: one command of a reproduction, with the files that it reads and makes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace umbra {

/// A command of a sibling tool, or a function of this one. Parts are listed in an order in which they can run; a part
/// depends on those whose outputs it reads.
struct Part {
  std::string name{};                  ///< unique, one word: of its log and in parts.json
  std::string title{};                 ///< for people: "um_resnet, C = 100, our recipe"
  std::vector<std::string> command{};  ///< the program and its arguments, as a user would type them
  std::vector<std::string> inputs{};   ///< files that it reads; their content decides whether it is redone
  std::vector<std::string> outputs{};  ///< files that it makes
  double seconds = 1;                  ///< estimate on two cores, for the time left
  std::vector<std::string> resume{};   ///< continues it after an interruption; empty: it starts again
  std::string resumes_from{};          ///< the checkpoint that `resume` needs
  std::string folder{};                ///< of its own, if it makes one: what is in it is the part's
  bool derived = false;                ///< summarises other parts: redone by itself when its command changes
  bool optional = false;               ///< everything else can do without it: a figure
  std::function<void()> make{};        ///< in place of a command: writes the outputs, or throws Error
};

/// Where the programs and the files of a reproduction are.
struct Places {
  std::filesystem::path tools;  ///< the folder of this program, as the user called it: its siblings are there
  std::filesystem::path source;  ///< the repository: tools/plot.py, models/configs
  std::filesystem::path out;     ///< the folder of the reproduction

  /// "DIR/name".
  std::string in_out(const std::string& name) const { return (out / name).string(); }
  /// The path of a sibling tool, or its name if the shell finds the tools by name.
  std::string tool(const std::string& name) const { return (tools / name).string(); }
  /// The path of a file of the repository.
  std::string in_source(const std::string& name) const { return (source / name).string(); }
};
/// Of a program that was called as `program`, argv[0]. Throws Error if the repository is not where it was when the
/// program was built.
Places places_of(const std::string& program, const std::filesystem::path& out);

/// The command as a line that a shell understands.
std::string shell_line(const std::vector<std::string>& command);

}  // namespace umbra
