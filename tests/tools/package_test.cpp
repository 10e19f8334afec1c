// An installation: found by CMake and by pkg-config from a folder outside the tree, and its headers documented.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;
using testing_tools::run;

const std::string kSource = UMBRA_SOURCE_DIR, kBuild = UMBRA_BINARY_DIR;

class Package : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("umbra_package_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void expect_success(const std::string& command) const {
    const Outcome outcome = run("cd '" + folder_.string() + "' && " + command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }

  fs::path folder_;
};

TEST_F(Package, CMakeAndPkgConfigFindAnInstallationThatWasMoved) {
  if (!std::string_view(UMBRA_SANITIZER).empty())
    GTEST_SKIP() << "a program outside the tree has no sanitizer";
  expect_success("cmake --install '" + kBuild + "' --prefix '" + folder_.string() + "/before'");
  expect_success("mv before prefix && cp -r '" + kSource + "/tests/package' .");
  expect_success("cmake -S package -B build -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH='" +
                 folder_.string() + "/prefix'");
  expect_success("cmake --build build");
  expect_success("test \"$(build/program)\" = \"28 mass bins of two boxes\"");
  if (run("pkg-config --version").status != 0) GTEST_SKIP() << "pkg-config is not installed";
  expect_success(
      "export PKG_CONFIG_PATH=$(dirname $(find $PWD/prefix -name umbra.pc)) && "
      "${CXX:-g++} package/program.cpp $(pkg-config --cflags --libs umbra) -o program && "
      "test \"$(./program)\" = \"28 mass bins of two boxes\"");
}

TEST_F(Package, NoInstalledHeaderNeedsOneThatIsMissing) {
  if (!std::string_view(UMBRA_SANITIZER).empty()) GTEST_SKIP() << "the release build checks this";
  expect_success("cmake --install '" + kBuild + "' --prefix '" + folder_.string() + "/prefix'");
  expect_success(
      "cd prefix/include/umbra && find . -name '*.h' | sed 's|^\\./\\(.*\\)|#include \"\\1\"|' > ../all.cpp && "
      "test $(wc -l < ../all.cpp) -gt 80 && ${CXX:-g++} -std=c++20 -fopenmp -fsyntax-only -I. ../all.cpp");
}

// The settings of Doxygen vary from release to release, and so do its warnings.
bool has_doxygen() {
  return run("doxygen --version").output.starts_with("1.9.4");
}

TEST_F(Package, TheDocumentationHasNoWarning) {
  if (!has_doxygen()) GTEST_SKIP() << "no doxygen 1.9.4";
  expect_success("cmake --build '" + kBuild + "' --target docs");
}

TEST_F(Package, AnUndocumentedPublicNameIsAnError) {
  if (!has_doxygen()) GTEST_SKIP() << "no doxygen 1.9.4";
  std::ofstream(folder_ / "some.h")
      << "// A header.\n#pragma once\n\n/// A class.\nclass Some {\n public:\n  void bare();\n};\n";
  const Outcome outcome = run(
      "cd '" + kSource + "' && (cat '" + kBuild + "/docs/Doxyfile'; echo INPUT=" + folder_.string() +
      "/some.h; echo OUTPUT_DIRECTORY=" + folder_.string() + "; echo USE_MDFILE_AS_MAINPAGE=) | doxygen -");
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.output.find("bare() (function) of class Some is not documented"), std::string::npos)
      << outcome.output;
}

}  // namespace
}  // namespace umbra
