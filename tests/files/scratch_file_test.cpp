// The scratch file returns what was written, never appears in its folder, and reports a full disk.
#include "engine/io/scratch_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <vector>

#include "engine/base/error.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class ScratchFileTest : public ::testing::Test {
 protected:
  ScratchFileTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / concat("umbra_scratch_", info->name(), "_", ::getpid());
    fs::create_directories(folder_);
  }
  ~ScratchFileTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path folder_;
};

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(ScratchFileTest, ComesBackAndHasNoName) {
  ScratchFile scratch(folder_);
  std::vector<std::uint64_t> words(100'000);
  std::iota(words.begin(), words.end(), std::uint64_t{1} << 60);
  scratch.append(std::span(words).first(3));
  scratch.append({});
  scratch.append(std::span(words).subspan(3));
  EXPECT_EQ(scratch.size(), words.size());
  EXPECT_TRUE(fs::is_empty(folder_));
  std::vector<std::uint64_t> back(words.size());
  scratch.read(0, back);
  EXPECT_EQ(back, words);
  scratch.read(99'999, std::span(back).first(1));
  EXPECT_EQ(back[0], words.back());
  EXPECT_NE(message_of([&] { scratch.read(1, back); }).find("never written"), std::string::npos);
  EXPECT_NE(message_of([&] { scratch.read(~std::uint64_t{0}, std::span(back).first(1)); }), "");
}

TEST_F(ScratchFileTest, NoFolderAndNoSpaceAreSentences) {
  const std::string missing = message_of([&] { ScratchFile(folder_ / "missing"); });
  EXPECT_NE(missing.find("missing"), std::string::npos) << missing;
  if (std::string_view(UMBRA_SANITIZER) == "thread")
    GTEST_SKIP() << "no limit on files under ThreadSanitizer";
  ScratchFile scratch(folder_);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit limited = before;
  limited.rlim_cur = 4096;
  ::setrlimit(RLIMIT_FSIZE, &limited);
  const std::string full = message_of([&] { scratch.append(std::vector<std::uint64_t>(10'000)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(full.find(folder_.string()), std::string::npos) << full;
  EXPECT_NE(full.find("File too large"), std::string::npos) << full;
}

}  // namespace
}  // namespace umbra
