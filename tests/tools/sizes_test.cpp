// tools/sizes.py finds every file and function that is too long, and this repository has none.
#include <gtest/gtest.h>

#include "test_paths.h"
#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;
using testing_tools::run;

std::string lines(int count, const std::string& line = "  work();\n") {
  std::string text;
  for (int i = 0; i < count; ++i) text += line;
  return text;
}

class SizesTest : public FolderTest {
 protected:
  void SetUp() override {
    if (run("python3 --version").status != 0) GTEST_SKIP() << "no python3: tools/sizes.py cannot be run";
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  Outcome sizes(const std::string& arguments = "") const {
    return run("python3 '" UMBRA_SOURCE_DIR "/tools/sizes.py' '" + folder_.string() + "' " + arguments);
  }
  void expect_complaint(const std::string& complaint, const std::string& arguments = "") const {
    const Outcome outcome = sizes(arguments);
    EXPECT_EQ(outcome.status, 1) << outcome.output;
    EXPECT_NE(outcome.output.find("\n" + complaint), std::string::npos) << outcome.output;
  }
  void expect_none(const std::string& arguments = "") const {
    const Outcome outcome = sizes(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("no file and no function is too long"), std::string::npos)
        << outcome.output;
  }
};

TEST_F(SizesTest, NothingInThisRepositoryIsTooLong) {
  const Outcome outcome = run("python3 '" UMBRA_SOURCE_DIR "/tools/sizes.py'");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("engine"), std::string::npos) << outcome.output;
}

TEST_F(SizesTest, FilesAreMeasured) {
  write("engine/a.h", lines(300, "int a;\n"));
  write("tests/a.cpp", lines(400, "int a;\n"));
  write("README.md", lines(1000, "words\n"));
  write("tools/a.sh", lines(1000, "true\n"));
  expect_none();
  write("engine/ops/conv/b.cu", lines(301, "int b;\n"));
  write("tests/c.py", lines(401, "c = 1\n"));
  expect_complaint("engine/ops/conv/b.cu: 301 lines, the limit is 300");
  expect_complaint("tests/c.py: 401 lines, the limit is 400");
  expect_complaint("engine/ops/conv/b.cu: 301 lines, the limit is 299", "--limits 299,500,60,120");
}

TEST_F(SizesTest, FunctionsAreMeasured) {
  write("a.cpp", "namespace a {\nvoid f() {\n" + lines(58) + "}\n}\n");
  write("a.py", "def f():\n" + lines(59));
  write("a.cu", "__global__ void k() {\n" + lines(118) + "}\n");
  expect_none();
  write("b.cpp", "namespace b {\n\nint g(int x) {\n" + lines(60) + "}\n\n}\n");
  expect_complaint("b.cpp:3: g: 62 lines, the limit of a function is 60");
  write("b.py", "class B:\n  def g(self):\n" + lines(60, "    pass\n"));
  expect_complaint("b.py:2: g: 61 lines, the limit of a function is 60");
  write("b.cu", "template <int N>\n__global__ void\nk(int x) {\n" + lines(118) + "}\n");
  expect_complaint("b.cu:1: k: 122 lines, the limit of a kernel is 120");
}

// The limit is five lines here.
TEST_F(SizesTest, FunctionsAreFoundWhereverTheyHide) {
  const std::pair<const char*, const char*> functions[] = {
      {"TEST(Suite, Name)", "TEST(Suite, Name) {\n"},
      {"B::B", "B::B(int a) : x_{a}, y_(a), z_{{1, 2}} {\n"},
      {"operator()", "struct S {\n  void operator()(int a) const {\n"},
      {"member", "class C : public D<int> {\n public:\n  int member(std::array<int, 2> a = {1, 2}) {\n"},
      {"conversion", "template <class T = std::less<int>>\nauto conversion(T t) -> std::vector<T> {\n"},
      {"behind_braces",
       "const int a[] = {1, 2, 3};\nvoid behind_braces() {  // }\n  const char* s = \"}\";\n"},
      {"behind_a_macro", "#define M(x) \\\n  { x }\nvoid behind_a_macro() {\n  char c = '}';\n"},
      {"with_a_lambda", "void with_a_lambda() {\n  run([&](int x) {\n    x;\n  });\n"},
      {"object", "const auto object = [](int a) {\n"},
  };
  for (const auto& [name, text] : functions) {
    write("a.cpp", text + lines(6) + "}\n");
    expect_complaint("a.cpp:", "--limits 300,400,5,5");
    EXPECT_NE(sizes("--limits 300,400,5,5").output.find(std::string(": ") + name + ": "), std::string::npos)
        << text << sizes("--limits 300,400,5,5").output;
  }
  const char* const others[] = {"namespace a {\n", "struct A : B<int> {\n", "enum class E {\n",
                                "extern \"C\" {\n", "constexpr int a[] = {\n"};
  for (const char* text : others) {
    write("a.cpp", text + lines(20, "  // nothing\n") + "};\n");
    expect_none("--limits 300,400,5,5");
  }
}

TEST_F(SizesTest, WhatGitIgnoresIsNotMeasured) {
  if (run("git --version").status != 0) GTEST_SKIP() << "no git";
  write(".gitignore", "/generated/\n");
  write("generated/a.h", lines(301, "int a;\n"));
  expect_complaint("generated/a.h: 301 lines");
  ASSERT_EQ(run("git init -q '" + folder_.string() + "'").status, 0);
  expect_none();
  write("b.h", lines(301, "int a;\n"));
  expect_complaint("b.h: 301 lines");
}

TEST_F(SizesTest, WhatCannotBeReadIsNamed) {
  write("a.cpp", "void f() {\n");
  const Outcome outcome = sizes();
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.output.find("sizes.py: a.cpp: line 1: the brace is not closed"), std::string::npos)
      << outcome.output;
}

}  // namespace
}  // namespace umbra
