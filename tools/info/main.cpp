// info: what a file is, what it contains, and what to do with it.
#include <iostream>

#include "tools/common/command_line.h"
#include "tools/info/kinds.h"

namespace umbra {
namespace {

using Describe = std::optional<Description> (*)(const FileLook&);

constexpr Describe kDescribe[] = {
#define KIND(name) describe_##name,
#include "tools/info/kinds.def"
#undef KIND
    describe_import, describe_images};

Description describe(const std::string& path) {
  const FileLook file(path);
  for (const Describe kind : kDescribe)
    if (std::optional<Description> found = kind(file)) return *found;
  const bool is_folder = file.content() == Content::kFolder;
  fail("'", path, "' is neither a file of umbra nor one that import reads",
       is_folder ? "; a folder of images has .jpg, .jpeg or .png files and a table of their labels (CSV)"
                 : "");
}

// The command `import`, as the user called this program: "build/tools/info" makes it "build/tools/import".
std::string as_called(const std::string& program, const std::string& command) {
  const std::size_t slash = program.rfind('/');
  return slash == std::string::npos || command.starts_with("python3 ")
             ? command
             : shell_word(program.substr(0, slash + 1)) + command;
}

void print(const std::string& program, const std::string& path) {
  const Description found = describe(path);
  std::cout << path << ": " << found.what << '\n';
  for (const std::string& line : found.lines) std::cout << "  " << line << '\n';
  for (const std::string& command : found.next)
    std::cout << "  next: " << as_called(program, command) << '\n';
}

// Describes all files; an Error about one of them does not hide the others.
void info(const std::string& program, const std::vector<std::string>& paths) {
  std::string pending;  // the last error, which ends the tool; those before it have been printed
  for (const std::string& path : paths) {
    try {
      print(program, path);
    } catch (const Error& error) {
      if (!pending.empty()) std::cerr << "info: " << pending << '\n';
      pending = error.what();
    }
  }
  require(pending.empty(), pending);
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::ToolApp app(
      "Say what a file is: a catalog, run, prediction or another file of umbra, or a table or catalog that "
      "import reads; with its columns, units and ranges, and the next command.",
      "info");
  std::vector<std::string> paths;
  app.add_option("FILE", paths, "files, or folders of runs, of images and of CAMELS simulations")->required();
  return umbra::run_tool(app, argc, argv, [&] { umbra::info(argv[0], paths); });
}
