// Configurations: TOML in, TOML out, and error messages that name the key.
#include "engine/io/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra {
namespace {

struct Settings {
  bool on = false;
  std::int64_t count = 3;
  double rate = 0.1;
  std::string name = "adam";
  std::vector<std::string> features{"vpeak"};
  std::vector<double> epochs;
  std::vector<std::int64_t> units{128, 64};

  Config bind() {
    return Config({{"device", "where", &name, 0, 0, {"adam", "sgd"}},
                   {"train.on", "a switch", &on},
                   {"train.count", "a number", &count, 1, 100},
                   {"train.rate", "a rate", &rate, 0, 1},
                   {"data.features", "columns", &features},
                   {"data.epochs", "numbers", &epochs, 0, 1e9},
                   {"data.units", "integers", &units, 1, 1e9}});
  }
};

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Config, ReadsTomlAndWritesItBackBitForBit) {
  Settings s;
  s.bind().read_text(
      "device = \"sgd\"\n[train]\non = true\ncount = 7\nrate = 0.30000000000000004\n[data]\nfeatures = "
      "[\"a\", \"b\"]\nepochs = [1, 2.5]\nunits = [9, 8]\n",
      "f.toml");
  EXPECT_TRUE(s.on);
  EXPECT_EQ(s.count, 7);
  EXPECT_EQ(s.rate, 0.1 + 0.2);
  EXPECT_EQ(s.features, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(s.units, (std::vector<std::int64_t>{9, 8}));
  Settings again;
  again.bind().read_text(s.bind().dump(), "dump");
  EXPECT_EQ(again.rate, s.rate);
  EXPECT_EQ(again.epochs, s.epochs);
  EXPECT_EQ(again.units, s.units);
  EXPECT_EQ(again.bind().dump(), s.bind().dump());
}

TEST(Config, SetsFromWords) {
  Settings s;
  Config config = s.bind();
  config.set({"train.rate=1"});
  config.set({"device=sgd"});
  config.set({"data.features=vpeak,vacc"});
  config.set({"data.epochs=[3, 4]"});
  config.set({"train.on=true"});
  EXPECT_EQ(s.rate, 1);
  EXPECT_EQ(s.name, "sgd");
  EXPECT_EQ(s.features.size(), 2U);
  EXPECT_EQ(s.epochs, (std::vector<double>{3, 4}));
  config.set({"data.epochs=5"});
  EXPECT_EQ(s.epochs, (std::vector<double>{5}));
}

TEST(Config, MistakesAreSentencesThatNameTheKey) {
  Settings s;
  Config config = s.bind();
  const auto text_error = [&](const std::string& text) {
    return error_of([&] { config.read_text(text, "f.toml"); });
  };
  EXPECT_EQ(
      text_error("[train]\ncuont = 3\n"),
      "f.toml, line 2: there is no setting train.cuont; similar settings: train.on, train.count, train.rate");
  EXPECT_EQ(text_error("[train]\ncount = 0\n"),
            "f.toml, line 2: train.count must lie between 1 and 100, but it is 0");
  EXPECT_EQ(text_error("[train]\ncount = 1.5\n"), "f.toml, line 2: train.count must be an integer");
  EXPECT_EQ(text_error("[train]\nrate = nan\n"),
            "f.toml, line 2: train.rate must lie between 0 and 1, but it is nan");
  EXPECT_EQ(text_error("device = \"gpu\"\n"),
            "f.toml, line 1: device must be one of adam, sgd, but it is gpu");
  EXPECT_NE(text_error("[train\n").find("f.toml, line 1: not valid TOML"), std::string::npos);
  EXPECT_NE(error_of([&] { config.set({"train.count=many"}); }).find("train.count must be an integer"),
            std::string::npos);
  EXPECT_NE(error_of([&] { config.set({"epochs=3"}); }).find("data.epochs"), std::string::npos);
  EXPECT_NE(error_of([&] { config.set({"nonsense"}); }).find("key=value"), std::string::npos);
  EXPECT_NE(error_of([&] { config.set({"train.count=1\nrate=2"}); }), "");
  EXPECT_NE(error_of([&] { config.read_file("/nonexistent.toml"); }).find("/nonexistent.toml"),
            std::string::npos);
  EXPECT_EQ(s.count, 3);
}

TEST(Config, ThreeHundredMutationsEndInSuccessOrASentence) {
  Settings base;
  const std::string original = base.bind().dump();
  const Rng rng(2, Purpose::kTest);
  const std::string alphabet = "[]{}=\"'\\#.,\n\t 0129-+einfatru\x01\xff";
  int errors = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::string text = original;
    for (std::uint64_t k = 0; k < 1 + i % 4; ++k) {
      const Philox4 w = rng.words(8 * i + k);
      const std::size_t place = w[0] % text.size();
      if (w[1] % 3 == 0)
        text.erase(place, 1 + w[2] % 5);
      else if (w[1] % 3 == 1)
        text.insert(place, 1, alphabet[w[2] % alphabet.size()]);
      else
        text[place] = alphabet[w[2] % alphabet.size()];
    }
    Settings s;
    errors += error_of([&] { s.bind().read_text(text, "f.toml"); }).empty() ? 0 : 1;
  }
  EXPECT_GT(errors, 50);
}

}  // namespace
}  // namespace umbra
