// What the tests of files share: a folder of its own for every test, and what an Error says.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace umbra {

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              concat("umbra_", info->test_suite_name(), "_", info->name(), "_", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  ~FileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }
  std::filesystem::path folder_;
};

inline void expect_message(const std::function<void()>& body, std::initializer_list<std::string> parts) {
  std::string message;
  try {
    body();
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_FALSE(message.empty()) << "no umbra::Error was thrown";
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << part << " | " << message;
}

inline std::vector<char> bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline std::string text_of(const std::filesystem::path& path) {
  const std::vector<char> bytes = bytes_of(path);
  return {bytes.begin(), bytes.end()};
}

inline void put_bytes(const std::filesystem::path& path, std::span<const char> bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace umbra
