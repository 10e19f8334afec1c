// docs/processes.md prints what bench/scaling_model.py computes.
#include <gtest/gtest.h>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

TEST(ScalingModel, ThePageShowsItsTable) {
  if (run("python3 --version").status != 0) GTEST_SKIP() << "python3 is not installed";
  const std::string page = bytes(UMBRA_SOURCE_DIR "/docs/processes.md"),
                    command = "python3 bench/scaling_model.py";
  const std::size_t begin = page.find(command);
  ASSERT_NE(begin, std::string::npos);
  const Outcome table =
      run("cd '" UMBRA_SOURCE_DIR "' && " + page.substr(begin, page.find('\n', begin) - begin));
  EXPECT_EQ(table.status, 0) << table.output;
  EXPECT_NE(page.find("```text\n" + table.output + "```"), std::string::npos) << table.output;
}

}  // namespace
}  // namespace umbra
