// Tests of the course: a learner's folder, in which the driver and the lessons run as a user runs them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "test_paths.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/run_tool.h"

namespace umbra::learn {

inline const std::filesystem::path kLessons = UMBRA_SOURCE_DIR "/tools/learn";
inline const std::filesystem::path kPrograms = UMBRA_BINARY_DIR "/lessons";

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// `text` with every `from` replaced by `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

inline int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

/// The folder is the current folder of every command.
class CourseTest : public FolderTest {
 protected:
  /// The output is without the lines that `learn` prints where a build takes long, as on a busy machine.
  testing_tools::Outcome shell(const std::string& command) const {
    testing_tools::Outcome outcome = testing_tools::run(
        "cd '" + folder_.string() + "' && export PATH='" UMBRA_BINARY_DIR "/tools':$PATH && " + command);
    static const std::regex slow("((building|waiting for) [^\\n]* in|compiling) [^\\n]* …\\n");
    outcome.output = std::regex_replace(outcome.output, slow, "");
    return outcome;
  }
  testing_tools::Outcome learn(const std::string& words) const { return shell("learn " + words); }
  std::string text(const std::string& file) const { return testing_tools::bytes(folder_ / file); }
  void write(const std::string& file, const std::string& content) const {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << content;
  }
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
#define EXPECT_LACKS(text, part) EXPECT_EQ((text).find(part), std::string::npos) << (text)

}  // namespace umbra::learn
