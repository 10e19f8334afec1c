// Which layer may include which: includes go downward only. Reads every #include of the repository.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "test_paths.h"

namespace {

namespace fs = std::filesystem;

// A layer may include itself and the layers listed for it. Longer paths are matched first.
const std::map<std::string, std::set<std::string>>& allowed() {
  static const std::set<std::string> base{"engine/base"}, runtime{"engine/base", "engine/runtime"};
  static const auto plus = [](std::set<std::string> below, std::initializer_list<const char*> more) {
    below.insert(more.begin(), more.end());
    return below;
  };
  static const auto ops = plus(runtime, {"engine/cpu"});
  static const auto registry = plus(ops, {"engine/ops"});
  static const auto tensor = plus(registry, {"engine/registry"});
  static const auto grad = plus(tensor, {"engine/tensor", "engine/dist"});
  static const auto nn = plus(grad, {"engine/grad"});
  static const auto above_nn = plus(nn, {"engine/nn"});
  static const auto train = plus(above_nn, {"engine/optim", "engine/io"});
  static const std::map<std::string, std::set<std::string>> rules = {
      {"engine/base", {}},
      {"engine/runtime", base},
      {"engine/cpu", base},
      {"engine/dist", runtime},
      {"engine/ops", plus(ops, {"engine/cuda"})},
      {"engine/cuda", runtime},  // tiles of products and sums, which contain no op
      {"engine/cuda/device", plus(runtime, {"engine/cuda"})},  // index functions of kernels and emulator
      {"engine/cuda/emulator", plus(runtime, {"engine/cuda"})},
      {"engine/registry", registry},
      {"engine/tensor", tensor},
      {"engine/grad", grad},
      {"engine/nn", nn},
      {"engine/optim", above_nn},
      {"engine/io", above_nn},
      {"engine/train", train},
      {"models", above_nn},
      {"models/forest", plus(base, {"engine/cpu"})},
      {"models/tasks", plus(train, {"engine/train", "models", "data"})},
      {"data", plus(base, {"engine/cpu", "engine/io", "data/tables"})},
      {"data/tables", plus(base, {"engine/cpu", "engine/io"})},
      {"data/tables/published", base},
      // train_step times a whole network, import a reader of catalogs
      {"bench", plus(train, {"engine/train", "models", "models/forest", "data"})},
      {"tools/learn", plus(above_nn, {"engine/optim", "engine/io", "models", "data", "data/tables/published",
                                      "tools", "tools/learn/common/check.h"})},
      {"tools/learn/common/check.h", {}},  // a learner compiles it with the exercises, in a second
      {"tools/learn/common/check.cpp", {"tools/learn/common/check.h"}},
      {"tools", plus(train, {"engine/train", "models", "models/forest", "models/tasks", "data"})},
  };
  return rules;
}

std::string layer_of(const std::string& path) {
  std::string best;
  for (const auto& [layer, below] : allowed()) {
    if ((path == layer || path.starts_with(layer + "/")) && layer.size() > best.size()) best = layer;
  }
  return best;
}

// The folder of a family of ops, "engine/ops/conv"; empty for files outside these folders.
std::string room_of(const std::string& path) {
  const std::string prefix = "engine/ops/";
  const std::size_t end = path.find('/', prefix.size());
  return path.starts_with(prefix) && end != std::string::npos ? path.substr(0, end) : "";
}

struct Include {
  std::string file, target;
};

std::vector<Include> project_includes() {
  const fs::path root = UMBRA_SOURCE_DIR;
  const std::regex pattern(R"(^\s*#\s*include\s*"([^"]+)\")");
  std::vector<Include> found;
  for (const char* folder : {"engine", "models", "data", "tools", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
      std::ifstream in(entry.path());
      std::smatch match;
      for (std::string line; std::getline(in, line);) {
        if (std::regex_search(line, match, pattern)) {
          found.push_back({fs::relative(entry.path(), root).string(), match[1]});
        }
      }
    }
  }
  return found;
}

// In both engine/cuda/device and engine/cuda/emulator: the build chooses one.
bool has_two_faces(const std::string& target) {
  const fs::path cuda = fs::path(UMBRA_SOURCE_DIR) / "engine/cuda";
  return fs::exists(cuda / "device" / target) && fs::exists(cuda / "emulator" / target);
}

TEST(Layers, EveryIncludeGoesDownward) {
  const std::vector<Include> includes = project_includes();
  ASSERT_GT(includes.size(), 300U);
  for (const auto& [file, target] : includes) {
    if (has_two_faces(target) || target == "learn_build.h") continue;  // which CMake writes
    const std::string from = layer_of(file), to = layer_of(target);
    ASSERT_FALSE(from.empty()) << file << " belongs to no layer";
    ASSERT_FALSE(to.empty()) << file << " includes " << target
                             << ", which is not written from the repository's root";
    EXPECT_TRUE(from == to || allowed().at(from).contains(to))
        << file << " (" << from << ") includes " << target << " (" << to << ")";
  }
}

// Except for engine/ops/shared, and for the reference of a fused op, which is composed of other references.
TEST(Layers, FamiliesOfOpsDoNotSeeOneAnother) {
  const auto is_definition = [](const std::string& path) {
    return path.ends_with("reference.h") || path.ends_with("/op.h") ||
           room_of(path) == "engine/ops/elementwise";
  };
  int seen = 0;
  for (const auto& [file, target] : project_includes()) {
    const std::string from = room_of(file), to = room_of(target);
    if (from.empty() || to.empty() || from == to) continue;
    ++seen;
    const bool composition = file.ends_with("reference.h") && is_definition(target);
    EXPECT_TRUE((to == "engine/ops/shared" || composition) && from != "engine/ops/shared")
        << file << " includes " << target;
  }
  EXPECT_GT(seen, 20);
}

// The folder of a tool, "tools/train"; empty for files outside these folders.
std::string tool_folder(const std::string& path) {
  const std::string prefix = "tools/";
  const std::size_t end = path.find('/', prefix.size());
  return path.starts_with(prefix) && end != std::string::npos ? path.substr(0, end) : "";
}

TEST(Layers, ToolsShareOnlyWhatIsInCommon) {
  for (const auto& [file, target] : project_includes()) {
    const std::string from = tool_folder(file), to = tool_folder(target);
    EXPECT_TRUE(to.empty() || to == from || to == "tools/common") << file << " includes " << target;
  }
}

// Two types of one name in different headers compile and link, but then the program contains the members of only one.
TEST(Layers, ATypeHasOneDefinition) {
  const fs::path root = UMBRA_SOURCE_DIR;
  const std::regex opens(R"(^namespace ([\w:]+) \{)"), closes(R"(^\}  // namespace)"),
      type(R"(^(?:struct|class|enum class|union) (\w+)(?: final)?(?: :[^;]*)? \{)");
  std::map<std::string, std::string> header_of;
  for (const char* folder : {"engine", "models", "data", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = fs::relative(entry.path(), root);
      if (entry.path().extension() != ".h" || has_two_faces(entry.path().filename())) continue;
      std::ifstream in(entry.path());
      std::vector<std::string> inside;
      std::smatch match;
      for (std::string line; std::getline(in, line);) {
        if (std::regex_search(line, match, opens)) inside.push_back(match[1]);
        if (std::regex_search(line, closes) && !inside.empty()) inside.pop_back();
        if (!std::regex_search(line, match, type)) continue;
        std::string name = match[1];
        for (auto outer = inside.rbegin(); outer != inside.rend(); ++outer) name = *outer + "::" + name;
        const auto [first, is_new] = header_of.emplace(name, path);
        EXPECT_TRUE(is_new || first->second == path)
            << name << " is defined in " << first->second << " and in " << path;
      }
    }
  }
  EXPECT_GT(header_of.size(), 300U);
}

TEST(Layers, NothingIsLooseBesideTheRoomsOfOps) {
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(UMBRA_SOURCE_DIR) / "engine/ops")) {
    if (entry.is_regular_file()) files.insert(entry.path().filename());
  }
  EXPECT_EQ(files,
            (std::set<std::string>{"README.md", "cpu_ladder.cpp", "cuda_ladder.cpp", "cuda_ladder_absent.cpp",
                                   "kernel.h", "ladder.def", "ladder.h", "op.h"}));
}

TEST(Layers, NoBackendConditionalsAndNoCudaHeadersInHostCode) {
  const fs::path root = UMBRA_SOURCE_DIR;
  const std::regex conditional(
      R"(^\s*#\s*(if|ifdef|ifndef|elif)\b.*(CUDA|NCCL|(^|[^A-Z])MPI))");  // not COMPILER
  const std::regex cuda_header(R"(^\s*#\s*include\s*[<"](cuda(?!_grid\.h)|cublas|cudnn|nccl))");
  for (const char* folder : {"engine", "models", "data", "tools", "bench", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      const std::string name = entry.path().filename();
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        // Wrappers of instructions that not every GPU has test the architecture they are compiled for.
        const bool device = entry.path().string().find("engine/cuda/device") != std::string::npos;
        EXPECT_TRUE(device || !std::regex_search(line, conditional)) << entry.path() << ": " << line;
        const bool may = device || name == "cuda_runtime.cpp" || name == "nccl.cpp" ||
                         entry.path().string().find("bench/peers") != std::string::npos;
        EXPECT_TRUE(may || !std::regex_search(line, cuda_header)) << entry.path() << ": " << line;
      }
    }
  }
}

}  // namespace
