// A test with a folder of its own and the name of a catalog in it; the folder goes with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/base/error.h"

namespace umbra {

class CatalogFileTest : public ::testing::Test {
 protected:
  CatalogFileTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              concat("umbra_", info->test_suite_name(), "_", info->name(), "_", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  ~CatalogFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path path() const { return folder_ / "catalog.h5"; }
  std::filesystem::path folder_;
};

}  // namespace umbra
