// README.md and the pages of docs/: every code block is run unchanged, in a folder with the repository and the
// build that the pages assume; lines are short, the files that links name exist, and the chart shows the numbers
// in bench/results. A block that needs a missing Python package is skipped with a message.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <vector>

#include "test_paths.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

const fs::path kSource = UMBRA_SOURCE_DIR;

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

// README.md first, then the pages of docs/ by name; relative to the repository.
std::vector<std::string> pages() {
  std::vector<std::string> docs;
  for (const auto& entry : fs::directory_iterator(kSource / "docs")) {
    if (entry.path().extension() == ".md") docs.push_back("docs/" + entry.path().filename().string());
  }
  std::sort(docs.begin(), docs.end());
  docs.insert(docs.begin(), "README.md");
  return docs;
}

// Those, a page whose blocks tests/contributing/apply_recipes.py runs, and one that has none to run.
std::vector<std::string> all_pages() {
  std::vector<std::string> all = pages();
  all.emplace_back("CONTRIBUTING.md");
  all.emplace_back("tools/learn/README.md");
  return all;
}

// Whether a block uses the files that the README's quickstart writes.
bool follows_the_quickstart(const std::string& page) {
  const std::vector<Block> blocks = blocks_of(kSource / page);
  return std::any_of(blocks.begin(), blocks.end(), [](const Block& block) {
    return block.language != "text" && block.code.find("quickstart") != std::string::npos;
  });
}

void link_all(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("build") || name == "quickstart" || name == ".git") continue;
    fs::create_symlink(entry.path(), to / name);
  }
}

// A folder that looks like a checkout with a finished build, in which a block may write any file.
fs::path make_checkout(const std::string& name) {
  const fs::path folder =
      fs::path(testing::TempDir()) / ("umbra_docs_" + name + "_" + std::to_string(getpid()));
  fs::remove_all(folder);
  link_all(kSource, folder);
  // quickstart.sh changes to the folder above its own, so tools must be a real folder here.
  fs::remove(folder / "tools");
  link_all(kSource / "tools", folder / "tools");
  fs::remove(folder / "docs");  // a copy, because blocks write the images
  fs::copy(kSource / "docs", folder / "docs", fs::copy_options::recursive);
  fs::create_symlink(UMBRA_BINARY_DIR, folder / "build");
  return folder;
}

// The command that runs a block; empty for a block that is not run, such as output or C++.
std::string command_of(Block block, const fs::path& checkout, const std::string& place) {
  if (block.language == "bash") {
    const std::string self = "bash tools/test.sh\n";  // runs this test
    if (const auto at = block.code.find(self); at != std::string::npos) block.code.erase(at, self.size());
    std::ofstream(checkout / "block.sh") << "set -euo pipefail\n" << block.code;
    return "bash block.sh";
  }
  if (block.language == "python") {
    const std::string first = block.code.substr(0, block.code.find('\n'));
    if (run("python3 -c '" + first + "'").status != 0) {
      std::printf("%s: skipped, because \"%s\" fails on this machine\n", place.c_str(), first.c_str());
      return "";
    }
    std::ofstream(checkout / "block.py") << block.code;
    return "python3 block.py";
  }
  if (block.language == "cpp") {  // the test compiles it
    EXPECT_NE(bytes(kSource / "tests/files/readme_loop_test.cpp").find(block.code), std::string::npos)
        << place << ": tests/files/readme_loop_test.cpp does not contain this C++";
  } else {
    EXPECT_EQ(block.language, "text") << place << ": a block must be bash, python, cpp or text";
  }
  return "";
}

void run_blocks(const std::string& page, const fs::path& checkout) {
  for (const Block& block : blocks_of(kSource / page)) {
    const std::string place = page + ", line " + std::to_string(block.line);
    const std::string command = command_of(block, checkout, place);
    if (command.empty()) continue;
    const Outcome outcome = run("cd '" + checkout.string() + "' && " + command);
    EXPECT_EQ(outcome.status, 0) << place << "\n" << outcome.output;
  }
}

class DocsBlocks : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::string_view(UMBRA_SANITIZER).empty()) {
      GTEST_SKIP()
          << "the pages train for thousands of steps, which takes an hour under a sanitizer; the same "
             "tools run on less data in CliTest";
    }
    if (run("python3 -c 'import h5py, matplotlib, numpy'").status != 0) {
      GTEST_SKIP() << "python3 has no h5py or matplotlib here, which the figures of the pages need";
    }
  }
};

TEST_F(DocsBlocks, OfTheReadmeAndThePagesThatFollowItsQuickstartRun) {
  const fs::path checkout = make_checkout("readme");
  for (const std::string& page : pages()) {
    if (follows_the_quickstart(page)) run_blocks(page, checkout);
  }
  EXPECT_TRUE(fs::exists(checkout / "quickstart/evaluation.json")) << "README.md runs no quickstart";
  fs::remove_all(checkout);
}

TEST_F(DocsBlocks, OfEveryOtherPageRun) {
  for (const std::string& page : pages()) {
    if (follows_the_quickstart(page)) continue;
    const fs::path checkout = make_checkout("page");
    run_blocks(page, checkout);
    fs::remove_all(checkout);
  }
}

// The characters (not bytes) of a line as a reader sees it: of a link only its text.
std::size_t width(const std::string& line) {
  static const std::regex target(R"(\]\([^)]*\))");
  const std::string seen = std::regex_replace(line, target, "]");
  return std::count_if(seen.begin(), seen.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

TEST(Docs, LinesAreNoLongerThan100OutsideTablesAndCode) {
  for (const std::string& page : all_pages()) {
    std::istringstream in(bytes(kSource / page));
    std::string line;
    bool code = false;
    for (int number = 1; std::getline(in, line); ++number) {
      if (line.starts_with("```")) code = !code;
      const bool free =
          code || line.starts_with("|") || line.starts_with("![");  // an image's text is not shown
      EXPECT_TRUE(free || width(line) <= 100) << page << ", line " << number << ": " << line;
    }
    EXPECT_FALSE(code) << page << ": a code block has no end";
  }
}

/// The text outside code blocks, where "[&](int i)" is not a link.
std::string prose_of(const fs::path& page) {
  std::istringstream in(bytes(page));
  std::string text;
  bool code = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) code = !code;
    if (!code) text += line + "\n";
  }
  return text;
}

TEST(Docs, LinksLeadSomewhere) {
  static const std::regex link(R"(\]\(([^)#]+)[^)]*\))");
  for (const std::string& page : all_pages()) {
    const std::string text = prose_of(kSource / page);
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      const std::string target = (*it)[1];
      if (target.starts_with("https://")) continue;
      EXPECT_TRUE(fs::exists(kSource / fs::path(page).parent_path() / target)) << page << ": " << target;
    }
  }
}

TEST(Docs, EveryPageIsInTheIndex) {
  const std::string index = bytes(kSource / "docs/README.md");
  for (const std::string& page : pages()) {
    const std::string name = fs::path(page).filename();
    EXPECT_TRUE(name == "README.md" || index.find("](" + name + ")") != std::string::npos) << page;
  }
}

TEST(Docs, ImagesAreSmall) {
  for (const auto& entry : fs::directory_iterator(kSource / "docs/images"))
    EXPECT_LT(fs::file_size(entry.path()), 150000U) << entry.path();
}

TEST(Docs, TheChartShowsWhatTheResultsHold) {
  if (run("python3 --version").status != 0) GTEST_SKIP() << "no python3: bench/chart.py cannot be run";
  const std::string check = "python3 '" + (kSource / "bench/chart.py").string() + "' --check ";
  const fs::path chart = kSource / "docs/images/speed.svg";
  const Outcome good = run(check + "'" + chart.string() + "'");
  EXPECT_EQ(good.status, 0) << good.output;

  std::string text = bytes(chart);
  const std::size_t at = text.find("\"step_ms\": [");
  ASSERT_NE(at, std::string::npos);
  text.replace(at + 12, 0, "1");  // makes the first number at least ten times as large
  const fs::path other = fs::path(testing::TempDir()) / ("umbra_chart_" + std::to_string(getpid()) + ".svg");
  std::ofstream(other) << text;
  const Outcome bad = run(check + "'" + other.string() + "'");
  EXPECT_EQ(bad.status, 1) << bad.output;
  EXPECT_NE(bad.output.find("channels: 20: umbra: step_ms"), std::string::npos) << bad.output;
  fs::remove(other);
}

TEST(Docs, TheTablesOfImagesShowWhatTheResultsHold) {
  if (run("python3 --version").status != 0)
    GTEST_SKIP() << "no python3: bench/galaxy_zoo_tables.py cannot be run";
  const std::string check =
      "python3 -B '" + (kSource / "bench/galaxy_zoo_tables.py").string() + "' pages --check --page ";
  const fs::path page = kSource / "docs/images.md";
  const Outcome good = run(check + "'" + page.string() + "'");
  EXPECT_EQ(good.status, 0) << good.output;

  std::string text = bytes(page);
  const std::size_t at = text.find("| no augmentation | ");
  ASSERT_NE(at, std::string::npos);
  text.replace(at + 20, 0, "1");
  const fs::path other = fs::path(testing::TempDir()) / ("umbra_images_" + std::to_string(getpid()) + ".md");
  std::ofstream(other) << text;
  const Outcome bad = run(check + "'" + other.string() + "'");
  EXPECT_EQ(bad.status, 1) << bad.output;
  EXPECT_NE(bad.output.find("| no augmentation | 1"), std::string::npos) << bad.output;
  fs::remove(other);
}

TEST(Docs, ScriptsAreValidBashAndMayBeExecuted) {
  for (const fs::directory_entry& file : fs::directory_iterator(UMBRA_SOURCE_DIR "/tools")) {
    if (file.path().extension() != ".sh") continue;
    EXPECT_EQ(run("bash -n " + file.path().string()).status, 0) << file.path();
    EXPECT_NE(file.status().permissions() & fs::perms::owner_exec, fs::perms::none) << file.path();
  }
}

}  // namespace
}  // namespace umbra
