// Every code block of README.md is run unchanged, in a folder with the repository and the build that
// README.md assumes. A block that needs a missing Python package is skipped with a message.
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <vector>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

struct Block {
  std::string language, code;
  int line;
};

std::vector<Block> blocks_of(const fs::path& page) {
  std::vector<Block> blocks;
  std::istringstream in(bytes(page));
  std::string line;
  bool inside = false;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({line.substr(3), "", number});
      inside = !inside;
    } else if (inside) {
      blocks.back().code += line + "\n";
    }
  }
  return blocks;
}

// A folder that looks like a checkout with a finished build, in which a block may write any file.
fs::path make_checkout() {
  const fs::path folder = fs::path(testing::TempDir()) / ("umbra_docs_" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const auto& entry : fs::directory_iterator(UMBRA_SOURCE_DIR)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("build") || name == "quickstart" || name == ".git") continue;
    fs::create_symlink(entry.path(), folder / name);
  }
  // quickstart.sh changes to the folder above its own, so tools must be a real folder here.
  fs::remove(folder / "tools");
  fs::create_directories(folder / "tools");
  for (const auto& entry : fs::directory_iterator(fs::path(UMBRA_SOURCE_DIR) / "tools")) {
    fs::create_symlink(entry.path(), folder / "tools" / entry.path().filename());
  }
  fs::create_symlink(UMBRA_BINARY_DIR, folder / "build");
  return folder;
}

TEST(Docs, EveryBlockOfTheReadmeRuns) {
  if (!std::string_view(UMBRA_SANITIZER).empty()) {
    GTEST_SKIP()
        << "the README trains for thousands of steps, which takes an hour under a sanitizer; the same tools "
           "run on less data in CliTest";
  }
  if (run("python3 -c 'import h5py, matplotlib, numpy'").status != 0) {
    GTEST_SKIP() << "python3 has no h5py or matplotlib here, and the README's figures need them";
  }
  const std::vector<Block> blocks = blocks_of(fs::path(UMBRA_SOURCE_DIR) / "README.md");
  const fs::path checkout = make_checkout();
  int ran = 0;
  for (const Block& block : blocks) {
    const std::string place = "README.md, line " + std::to_string(block.line);
    std::string command;
    if (block.language == "bash") {
      // tools/test.sh runs this test.
      std::string code = block.code;
      const std::size_t self = code.find("bash tools/test.sh\n");
      if (self != std::string::npos) code.erase(self, std::string("bash tools/test.sh\n").size());
      std::ofstream(checkout / "block.sh") << "set -euo pipefail\n" << code;
      command = "bash block.sh";
    } else if (block.language == "python") {
      const std::string first = block.code.substr(0, block.code.find('\n'));
      if (run("python3 -c '" + first + "'").status != 0) {
        std::printf("%s: skipped, because \"%s\" fails on this machine\n", place.c_str(), first.c_str());
        continue;
      }
      std::ofstream(checkout / "block.py") << block.code;
      command = "python3 block.py";
    } else if (block.language == "cpp") {
      // tests/files/readme_loop_test.cpp must contain the same code, which is compiled there.
      EXPECT_NE(bytes(fs::path(UMBRA_SOURCE_DIR) / "tests/files/readme_loop_test.cpp").find(block.code),
                std::string::npos)
          << place << ": tests/files/readme_loop_test.cpp does not contain this C++";
      ++ran;
      continue;
    } else {
      EXPECT_EQ(block.language, "text") << place << ": a block must be bash, python, cpp or text";
      continue;
    }
    const Outcome outcome = run("cd '" + checkout.string() + "' && " + command);
    EXPECT_EQ(outcome.status, 0) << place << "\n" << outcome.output;
    ++ran;
  }
  EXPECT_GE(ran, 4);
  fs::remove_all(checkout);
}

TEST(Docs, ScriptsAreValidBash) {
  for (const char* script : {"quickstart.sh", "test.sh", "packages.sh", "test_aarch64.sh"}) {
    EXPECT_EQ(run(std::string("bash -n " UMBRA_SOURCE_DIR "/tools/") + script).status, 0) << script;
  }
}

}  // namespace
}  // namespace umbra
