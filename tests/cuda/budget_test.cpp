// The compile gate: registers and shared memory of every kernel, as reported by ptxas, against
// tests/cuda/budgets.txt. Spills and warnings already stop the build. A kernel may need more than before, and
// a new one more than a simple kernel, only if its line in budgets.txt is changed on purpose. Remarks of
// ptxas that mean a slow tensor-core kernel (serialised wgmma, setmaxnreg ignored) fail by their number.
//   UMBRA_WRITE_BUDGETS=1 build/tests/cuda/cuda_tests --gtest_filter='Budget*'     rewrites the file
#include <cxxabi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string_view>
#include <vector>

#include "test_paths.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

struct Usage {
  int registers = 0, shared = 0, stack = 0, spills = 0;
};

// What a kernel may need without its own line: 2048 threads on a multiprocessor at the same time.
constexpr Usage kSimpleKernel{.registers = 32, .shared = 0};

// "engine/ops/elementwise/bias.cu<tab>umbra::(anonymous namespace)::bias_forward_each(…)".
std::string full_name(const std::string& file, const std::string& mangled) {
  int status = 0;
  char* const text = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? text : mangled;
  std::free(text);
  return file + '\t' + name;
}

const fs::path kObjects = fs::path(UMBRA_BINARY_DIR) / "CMakeFiles/umbra_device.dir";

/// What a number in ptxas' reports means; "" for one that is harmless.
std::string_view meaning_of(int number) {
  switch (number) {
    case 7504:
      return "setmaxnreg ignored: compiled for separate linking";
    case 7508:
      return "setmaxnreg ignored: the kernel has no fixed number of registers (__launch_bounds__(threads, "
             "1))";
    case 7509:
      return "wgmma serialised: compiled for separate linking";
    case 7510:
      return "wgmma serialised: a function that is not inlined";
    case 7511:
    case 7517:
      return "wgmma serialised: accumulators touched before they are waited for";
    case 7515:
      return "wgmma serialised: compiled without optimisation";
    default:
      return {};
  }
}

/// The lines of a report about tensor cores that run slowly, with their meaning.
std::vector<std::string> slowed_down(std::istream& report) {
  static const std::regex number(R"(\(?\bC(75\d\d)\b\)?)");
  std::vector<std::string> found;
  std::smatch match;
  for (std::string line; std::getline(report, line);) {
    if (!std::regex_search(line, match, number)) continue;
    const std::string_view meaning = meaning_of(std::stoi(match[1]));
    if (!meaning.empty()) found.push_back(line + " [" + std::string(meaning) + "]");
  }
  return found;
}

std::map<std::string, Usage> measured() {
  static const std::regex entry(R"(Compiling entry function '(\w+)' for 'sm_90a')");
  static const std::regex stack(
      R"((\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads)");
  static const std::regex registers(R"(Used (\d+) registers)"), shared(R"((\d+) bytes smem)");
  std::map<std::string, Usage> found;
  for (const auto& item : fs::recursive_directory_iterator(kObjects)) {
    if (item.path().extension() != ".ptxas") continue;
    const std::string file =
        fs::relative(item.path(), kObjects).replace_extension().replace_extension().string();
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

/// The reason why there are no reports to read; "" when there are.
std::string no_reports() {
  if (!cuda_test::compiled_for_gpu()) return "the host's compiler has no registers to count here";
  return fs::exists(kObjects) ? "" : "the tests run without their build";
}

TEST(Budget, PtxasSlowsNoTensorCoreDown) {
  if (const std::string reason = no_reports(); !reason.empty()) GTEST_SKIP() << reason;
  int reports = 0;
  for (const auto& item : fs::recursive_directory_iterator(kObjects)) {
    if (item.path().extension() != ".ptxas") continue;
    ++reports;
    std::ifstream in(item.path());
    for (const std::string& line : slowed_down(in)) ADD_FAILURE() << item.path().filename() << ": " << line;
  }
  EXPECT_GT(reports, 20) << "ptxas' reports are missing next to the objects";
}

TEST(Budget, KnowsWhatPtxasMentions) {
  std::istringstream report(
      "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due "
      "to\n"
      "ptxas info    : Used 168 registers, used 1 barriers\n"
      "ptxas info    : (C7508) setmaxnreg ignored to maintain minimum register requirement.\n"
      "ptxas info    : (C7599) something else\n");
  EXPECT_EQ(slowed_down(report).size(), 2u);
}

TEST(Budget, NoKernelNeedsMoreThanItMay) {
  if (const std::string reason = no_reports(); !reason.empty()) GTEST_SKIP() << reason;
  const std::map<std::string, Usage> found = measured();
  ASSERT_GT(found.size(), 50u) << "ptxas' reports are missing next to the objects";
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
    const auto line = budget.find(kernel);
    const Usage may = line == budget.end() ? kSimpleKernel : line->second;
    const char* const whose = line == budget.end() ? ", which has no line in tests/cuda/budgets.txt" : "";
    // Another version of ptxas may need a few registers more.
    EXPECT_LE(usage.registers, may.registers + 8) << kernel << whose;
    EXPECT_LE(usage.shared, may.shared) << kernel << whose;
  }
}

}  // namespace
}  // namespace umbra
