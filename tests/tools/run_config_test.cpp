// The settings of a run: those of the chosen task and model, given in any order.
#include "tools/common/run_config.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/base/error.h"

namespace umbra {
namespace {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const RunConfig& config, const std::string& key) {
  RunConfig copy = config;
  const Config binding = copy.bind();
  for (const Setting& setting : binding.settings())
    if (setting.key == key) return true;
  return false;
}

TEST(RunConfig, HasTheSettingsOfItsTaskAndModel) {
  RunConfig config;
  EXPECT_TRUE(has(config, "model.channels") && has(config, "data.subbox_size"));
  EXPECT_FALSE(has(config, "model.hidden") || has(config, "data.resident"));
  config.bind().set({"task=dataset"});
  EXPECT_TRUE(has(config, "model.hidden") && has(config, "data.resident"));
  EXPECT_FALSE(has(config, "model.channels") || has(config, "data.subbox_size"));
  config.bind().set({"model.name=resnet18"});
  EXPECT_EQ(config.model->name(), "resnet18");
  EXPECT_FALSE(has(config, "model.hidden"));
}

TEST(RunConfig, TheOrderOfSettingsDoesNotMatter) {
  const std::vector<std::string> settings{"model.hidden=[7]", "model.name=mlp", "data.resident=off",
                                          "task=dataset"};
  RunConfig forwards, backwards, text;
  forwards.bind().set(settings);
  backwards.bind().set({settings.rbegin(), settings.rend()});
  // In TOML sections may have any order, but top-level keys come before all of them.
  text.bind().read_text(
      "task = \"dataset\"\n[data]\nresident = \"off\"\n[model]\nhidden = [7]\nname = \"mlp\"\n", "a.toml");
  EXPECT_EQ(forwards.bind().dump(), backwards.bind().dump());
  EXPECT_EQ(text.bind().dump(), forwards.bind().dump());
  EXPECT_EQ(forwards.model->label(), "mlp 7");
}

TEST(RunConfig, AModelThatWasChosenOutlivesAnotherTask) {
  RunConfig config;
  config.bind().read_text("[model]\nname = \"resnet18\"\n", "a.toml");
  config.bind().set({"task=dataset"});
  EXPECT_EQ(config.model->name(), "resnet18");
  RunConfig plain;
  plain.bind().set({"task=dataset"});
  EXPECT_EQ(plain.model->name(), "mlp");
}

TEST(RunConfig, RunsFromBeforeThereWereTasksAreOfMassFunctions) {
  RunConfig config;
  std::string text = config.bind().dump();
  const std::size_t begin = text.find("task = "), end = text.find('\n', begin);
  ASSERT_NE(begin, std::string::npos);
  text.erase(begin, end + 1 - begin);
  RunConfig old;
  old.bind().read_text(text, "old.toml");
  EXPECT_EQ(old.bind().dump(), config.bind().dump());
  EXPECT_EQ(old.task->name(), "smf");
}

TEST(RunConfig, SettingsOfAnotherModelAreUnknown) {
  RunConfig config;
  EXPECT_NE(error_of([&] { config.bind().set({"model.hidden=[3]"}); }).find("no setting model.hidden"),
            std::string::npos);
  config.bind().set({"task=dataset"});
  EXPECT_NE(error_of([&] { config.bind().set({"model.hidden=2.5"}); }).find("a list of integers"),
            std::string::npos);
  EXPECT_NE(error_of([&] { config.bind().set({"model.hidden=[8,0]"}); }).find("between 1 and"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              config.bind().set({"model.name=vgg"});
            }).find("um_resnet, um_resnet2d, um_dense, um_halos, resnet18, mlp"),
            std::string::npos);
}

TEST(RunConfig, TheSeedsOfAllMembersAreInBounds) {
  RunConfig config;
  config.bind().set({"train.seed=999999999", "train.seeds=2"});
  config.check();
  config.bind().set({"train.seeds=3"});
  EXPECT_EQ(
      error_of([&] { config.check(); }),
      "train.seed=999999999 and train.seeds=3: the last seed would be 1000000001, but at most 1000000000 is "
      "allowed");
}

TEST(RunConfig, CopiesAreOnTheirOwn) {
  RunConfig config;
  config.bind().set({"task=dataset", "model.hidden=[5]"});
  RunConfig copy = config;
  copy.bind().set({"model.hidden=[6]", "data.flips=true"});
  EXPECT_EQ(config.model->label(), "mlp 5");
  EXPECT_EQ(copy.model->label(), "mlp 6");
  EXPECT_NE(config.bind().dump(), copy.bind().dump());
}

}  // namespace
}  // namespace umbra
