// The compile gate: what ptxas said of every kernel (registers, shared memory) against
// tests/cuda/budgets.txt. Spills and warnings already stop the build. A kernel that needs more than it did is
// a change somebody must want:
//   UMBRA_WRITE_BUDGETS=1 build/tests/cuda/cuda_tests --gtest_filter='Budget*'     rewrites the file
#include <cxxabi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "tests/cuda/where.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

struct Usage {
  int registers = 0, shared = 0, stack = 0, spills = 0;
};

// "engine/ops/add/cuda_1_naive.cu<tab>umbra::(anonymous namespace)::add_each(…)".
std::string full_name(const std::string& file, const std::string& mangled) {
  int status = 0;
  char* const text = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? text : mangled;
  std::free(text);
  return file + '\t' + name;
}

std::map<std::string, Usage> measured() {
  static const std::regex entry(R"(Compiling entry function '(\w+)' for 'sm_90a')");
  static const std::regex stack(
      R"((\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads)");
  static const std::regex registers(R"(Used (\d+) registers)"), shared(R"((\d+) bytes smem)");
  std::map<std::string, Usage> found;
  const fs::path objects = fs::path(UMBRA_BINARY_DIR) / "CMakeFiles/umbra_device.dir";
  for (const auto& item : fs::recursive_directory_iterator(objects)) {
    if (item.path().extension() != ".ptxas") continue;
    const std::string file =
        fs::relative(item.path(), objects).replace_extension().replace_extension().string();
    std::ifstream in(item.path());
    std::string kernel;
    std::smatch match;
    Usage usage;
    for (std::string line; std::getline(in, line);) {
      if (std::regex_search(line, match, entry)) kernel = full_name(file, match[1]);
      if (std::regex_search(line, match, stack)) {
        usage.stack = std::stoi(match[1]);
        usage.spills = std::stoi(match[2]) + std::stoi(match[3]);
      }
      if (!std::regex_search(line, match, registers) || kernel.empty()) continue;
      usage.registers = std::stoi(match[1]);
      usage.shared = std::regex_search(line, match, shared) ? std::stoi(match[1]) : 0;
      found[kernel] = usage;
      kernel.clear();
      usage = {};
    }
  }
  return found;
}

TEST(Budget, NoKernelNeedsMoreThanItMay) {
  if (!cuda_test::compiled_for_gpu()) GTEST_SKIP() << "the host's compiler has no registers to count here";
  if (!fs::exists(UMBRA_BINARY_DIR "/CMakeFiles/umbra_device.dir"))
    GTEST_SKIP() << "the tests run without their build";
  const std::map<std::string, Usage> found = measured();
  ASSERT_GT(found.size(), 50u) << "ptxas' reports are missing beside the objects";
  const char* const file = UMBRA_SOURCE_DIR "/tests/cuda/budgets.txt";
  if (std::getenv("UMBRA_WRITE_BUDGETS") != nullptr) {
    std::ofstream out(file);
    out << "# Registers per thread and bytes of static shared memory of every kernel on sm_90a.\n"
           "# file\tkernel\tregisters\tbytes\n";
    for (const auto& [kernel, usage] : found)
      out << kernel << '\t' << usage.registers << '\t' << usage.shared << '\n';
  }
  std::map<std::string, Usage> budget;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t bytes = line.rfind('\t'), registers = line.rfind('\t', bytes - 1);
    if (line.starts_with('#') || bytes == std::string::npos || registers == std::string::npos) continue;
    budget[line.substr(0, registers)] = {std::stoi(line.substr(registers + 1)),
                                         std::stoi(line.substr(bytes + 1))};
  }
  for (const auto& [kernel, usage] : found) {
    EXPECT_EQ(usage.spills, 0) << kernel;
    EXPECT_EQ(usage.stack, 0) << kernel << " keeps an array in local memory";
    ASSERT_TRUE(budget.contains(kernel)) << kernel << " has no line in tests/cuda/budgets.txt";
    // Another version of ptxas may need a few registers more.
    EXPECT_LE(usage.registers, budget[kernel].registers + 8) << kernel;
    EXPECT_LE(usage.shared, budget[kernel].shared) << kernel;
  }
}

}  // namespace
}  // namespace umbra
