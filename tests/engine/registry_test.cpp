// The choice of a kernel: order, declining, preferences, and the error messages of choices that are
// impossible.
#include "engine/registry/registry.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/error.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/ops/shared/problems.h"

namespace umbra {
namespace {

void nothing(const Add&, Buffers, void*, Stream&) {}
std::string only_even(const Add& op) {
  return op.count % 2 == 0 ? "" : "takes even counts only";
}
std::string never(const Add&) {
  return "never takes anything";
}

Problems no_problems(DType) {
  return {};
}

Registry small_registry() {
  Registry registry;
  registry.add({"add",
                {make_kernel<Add, nothing>("reference"), make_kernel<Add, nothing>("reference", DType::kF64),
                 make_kernel<Add, nothing>("plain"), make_kernel<Add, nothing, only_even>("even"),
                 make_kernel<Add, nothing, never>("never")},
                no_problems});
  return registry;
}

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

void expect_words(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

constexpr Device::Kind kCpu = Device::Kind::kCpu, kCuda = Device::Kind::kCuda;

TEST(Registry, TakesTheLastRungThatDoesNotDecline) {
  const Registry registry = small_registry();
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "even");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 5), kCpu).rung, "plain");
  EXPECT_EQ(registry.choose(Add(DType::kF64, 4), kCpu).rung, "reference");
  EXPECT_EQ(registry.choose(Add(DType::kF64, 4), kCpu).dtype, DType::kF64);
}

TEST(Registry, PreferenceWinsUnlessItDeclines) {
  Registry registry = small_registry();
  registry.prefer("add", "reference");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "reference");
  registry.prefer("add", "never");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "even");
  registry.prefer(" add = plain ");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "plain");
  EXPECT_EQ(registry.choose(Add(DType::kF64, 4), kCpu).rung, "reference") << "plain does not exist in f64";
}

TEST(Registry, SaysWhyItChose) {
  Registry registry = small_registry();
  expect_words(registry.why(Add(DType::kF32, 4), kCpu), {"the last of 3", "not never:"});
  expect_words(registry.why(Add(DType::kF32, 5), kCpu), {"the last of 2", "not even:"});
  EXPECT_EQ(registry.why(Add(DType::kF64, 4), kCpu), "the only one");
  registry.prefer("add", "reference");
  EXPECT_EQ(registry.why(Add(DType::kF32, 4), kCpu), "preferred");
}

// A rung that does not say that it reads packed operands would take them for numbers in fp32.
TEST(Registry, RungsSupportUnusualFormsOnlyIfTheySaySo) {
  constexpr auto kRun = [](const ConvOp&, Buffers, void*, Stream&) {};
  ConvFprop op(DType::kF32, conv_on_cube(2, 4, 4, 4, 3, 1, 1), Precision::kBf16);
  const Kernel plain = make_kernel<ConvFprop, kRun>("plain"),
               all = make_kernel<ConvFprop, kRun, nullptr, nullptr, Forms::kAll>("all");
  EXPECT_EQ(plain.declines(op), "");
  op.packed = true;
  EXPECT_EQ(plain.declines(op), "it reads activations in fp32 only");
  EXPECT_EQ(all.declines(op), "");
}

TEST(Registry, PreferencesFromText) {
  Registry registry = make_registry();
  const ReluForward relu(DType::kF32, 100);
  const Add add(DType::kF32, 100);
  EXPECT_NE(registry.choose(relu, kCpu).rung, "reference");
  registry.prefer("relu_forward=reference, add=reference");
  EXPECT_EQ(registry.choose(relu, kCpu).rung, "reference");
  EXPECT_EQ(registry.choose(add, kCpu).rung, "reference");
  EXPECT_NO_THROW(registry.prefer(""));
  EXPECT_NO_THROW(registry.prefer("  "));
}

TEST(Registry, PeersAreTakenOnlyWherePreferred) {
  Registry registry = small_registry();
  Kernel here = make_kernel<Add, nothing>("library"), gone = here;
  here.missing = [] { return std::string(); };
  gone.rung = "gone";
  gone.missing = [] { return std::string("libgone.so could not be loaded"); };
  registry.add(here);
  registry.add(gone);
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "even");
  EXPECT_EQ(registry.why(Add(DType::kF32, 4), kCpu).find("library"), std::string::npos);
  expect_words(message_of([&] { registry.choose(Add(DType::kF32, 4), kCuda); }), {"library", "runs on cpu"});
  registry.prefer("add=library");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "library");
  EXPECT_EQ(registry.choose(Add(DType::kF64, 4), kCpu).rung, "reference");
  expect_words(message_of([&] { registry.prefer("add=gone"); }),
               {"cannot prefer add=gone", "libgone.so could not be loaded"});
}

TEST(Registry, OneNameMeansAllThreePasses) {
  for (const char* name : {"conv", "conv2d", "conv3d", "linear"}) {
    Registry registry = make_registry();
    registry.prefer(name, "reference");
    const std::string table = registry.table();
    std::size_t marks = 0;
    for (std::size_t at = table.find(" *"); at != std::string::npos; at = table.find(" *", at + 1)) ++marks;
    EXPECT_EQ(marks, 6u) << "three passes in two dtypes\n" << table;
  }
  Registry registry = make_registry();
  expect_words(message_of([&] { registry.prefer("conv3d=magic"); }), {"conv_fprop", "no rung magic"});
  expect_words(message_of([&] { registry.prefer("relu3d=reference"); }), {"there is no op relu3d"});
}

TEST(Registry, WrongPreferencesNameTheKnownOnes) {
  Registry registry = small_registry();
  expect_words(message_of([&] { registry.prefer("ad=reference"); }), {"there is no op ad", "known ops: add"});
  expect_words(message_of([&] { registry.prefer("add=fast"); }),
               {"no rung fast", "reference", "plain", "even"});
  expect_words(message_of([&] { registry.prefer("add"); }), {"op=rung", "\"add\""});
  expect_words(message_of([&] { registry.prefer("add=plain,"); }), {"op=rung", "\"\""});
  expect_words(message_of([&] { registry.prefer("=plain"); }), {"there is no op"});
  expect_words(message_of([&] { registry.prefer("add="); }), {"no rung"});
}

TEST(Registry, NoKernelIsASentenceWithEveryReason) {
  Registry registry;
  registry.add(
      {"add",
       {make_kernel<Add, nothing, only_even>("even"), make_kernel<Add, nothing>("double", DType::kF64),
        make_kernel<Add, nothing>("gpu", DType::kF32, kCuda)},
       no_problems});
  expect_words(message_of([&] { registry.choose(Add(DType::kF32, 7), kCpu); }),
               {"add", "cpu", "f32", "n7", "even (cpu f32) takes even counts only", "computes in f64",
                "runs on cuda"});
  expect_words(message_of([&] { registry.choose(ReluForward(DType::kF32, 7), kCpu); }),
               {"relu_forward", "no op of this name", "add"});
  expect_words(message_of([&] { Registry().choose(Add(DType::kF32, 7), kCpu); }), {"it has none"});
}

TEST(Registry, BackendsAddRungsToAnOp) {
  Registry registry = small_registry();
  registry.add(make_kernel<Add, nothing>("cuda_1", DType::kF32, kCuda));
  ASSERT_EQ(registry.ladders().size(), 1u);
  EXPECT_EQ(registry.ladders()[0].problems, &no_problems);
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCuda).rung, "cuda_1");
  EXPECT_EQ(registry.choose(Add(DType::kF32, 4), kCpu).rung, "even");
}

TEST(Registry, RefusesWhatCannotBeMeant) {
  Registry registry = small_registry();
  const Kernel plain = make_kernel<Add, nothing>("plain");
  expect_words(message_of([&] { registry.add(plain); }), {"add", "plain (cpu f32)", "twice"});
  expect_words(message_of([&] {
                 Registry().add({"add", {plain, plain}, no_problems});
               }),
               {"add", "plain (cpu f32)", "twice"});
  expect_words(message_of([&] { registry.add({"add", {}, no_problems}); }), {"op add", "twice"});
  expect_words(message_of([&] {
                 Registry().add({"sub", {plain}, no_problems});
               }),
               {"plain (cpu f32) of add", "the op sub"});
  expect_words(message_of([&] { Registry().add(plain); }),
               {"plain (cpu f32)", "add", "does not have", "none"});
  Kernel empty = make_kernel<Add, nothing>("empty");
  empty.run = nullptr;
  expect_words(message_of([&] { registry.add(empty); }), {"empty", "add", "no function"});
}

TEST(Registry, CopiesKeepTheirChoice) {
  Registry copy;
  {
    Registry original = small_registry();
    original.prefer("add", "reference");
    copy = original;
  }
  EXPECT_EQ(copy.choose(Add(DType::kF32, 4), kCpu).rung, "reference");
}

TEST(Registry, TableShowsEveryRungAndPreference) {
  Registry registry = small_registry();
  registry.prefer("add", "plain");
  const std::string table = registry.table();
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 6) << table;
  EXPECT_NE(table.find("plain *"), std::string::npos) << table;
  EXPECT_NE(table.find("f64"), std::string::npos) << table;
}

TEST(Registry, OneValuePerChannelCannotBeNormalised) {
  const Registry registry = make_registry();
  expect_words(message_of([&] { registry.choose(BatchNormForward(DType::kF32, 1, 8, 1, 1e-5, 0.1), kCpu); }),
               {"batch_norm_forward", "o1 c8 i1", "at least two values per channel"});
}

}  // namespace
}  // namespace umbra
