// Every source is formatted with clang-format 14; other versions format some of it differently.
#include <gtest/gtest.h>

#include "test_paths.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

using testing_tools::Outcome;
using testing_tools::run;

TEST(Format, EverySourceIsAsClangFormatLeavesIt) {
  std::string formatter;
  for (const char* name : {"clang-format-14", "clang-format"}) {
    if (run(std::string(name) + " --version").output.find("version 14.") != std::string::npos)
      formatter = name;
  }
  if (formatter.empty()) GTEST_SKIP() << "no clang-format 14";
  const Outcome outcome =
      run("cd '" UMBRA_SOURCE_DIR
          "' && find engine models data tools bench tests \\( -name '*.cpp' -o -name '*.h' -o "
          "-name '*.cu' \\) -print0 | xargs -0 -n 40 -P \"$(nproc)\" " +
          formatter + " --dry-run --Werror");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

}  // namespace
}  // namespace umbra
