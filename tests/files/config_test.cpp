// Configurations: TOML in, TOML out, and error messages that name the key.
#include "engine/io/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/base/error.h"
#include "engine/base/nearest.h"
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
  Auto<std::int64_t> batch;
  Auto<double> side;

  Config bind() {
    return Config({{"device", "where", &name, 0, 0, {"adam", "sgd"}},
                   {"train.on", "a switch", &on},
                   {"train.count", "a number", &count, 1, 100},
                   {"train.rate", "a rate", &rate, 0, 1},
                   {"data.features", "columns", &features},
                   {"data.epochs", "numbers", &epochs, 0, 1e9},
                   {"data.units", "integers", &units, 1, 1e9},
                   {"data.batch", "an integer or auto", &batch, 2, 1e9},
                   {"data.side", "a number or auto", &side, 1e-3, 1e6}});
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

TEST(Config, ANumberMayBeAuto) {
  Settings s;
  EXPECT_NE(s.bind().dump().find("batch = 'auto'"), std::string::npos) << s.bind().dump();
  s.bind().read_text("[data]\nbatch = 8\nside = 25\n", "f.toml");
  EXPECT_EQ(s.batch.number, 8);
  EXPECT_EQ(s.side.number, 25.0);
  Settings again;
  again.bind().read_text(s.bind().dump(), "dump");
  EXPECT_EQ(again.bind().dump(), s.bind().dump());
  s.bind().set({"data.batch=auto"});
  s.bind().read_text("[data]\nside = \"auto\"\n", "f.toml");
  EXPECT_FALSE(s.batch.number || s.side.number);
  s.bind().set({"data.batch=16", "data.side=12.5"});
  EXPECT_EQ(s.batch.number, 16);
  EXPECT_EQ(s.side.number, 12.5);
  const auto error = [&](const char* assignment) { return error_of([&] { s.bind().set({assignment}); }); };
  for (const char* wrong : {"data.batch=many", "data.batch=2.5", "data.batch=\"Auto\""})
    EXPECT_NE(error(wrong).find("data.batch must be an integer or auto"), std::string::npos) << error(wrong);
  EXPECT_NE(error("data.batch=1").find("between 2 and"), std::string::npos);
  EXPECT_NE(error("data.side=wide").find("data.side must be a number or auto"), std::string::npos);
  EXPECT_NE(error("train.count=auto").find("train.count must be an integer"), std::string::npos);
  EXPECT_EQ(s.batch.number, 16);
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
  EXPECT_EQ(text_error("[train]\ncuont = 3\n"),
            "f.toml, line 2: there is no setting train.cuont; did you mean 'train.count'?");
  EXPECT_EQ(text_error("[train]\ncount = 0\n"),
            "f.toml, line 2: train.count must lie between 1 and 100, but it is 0");
  EXPECT_EQ(text_error("[train]\ncount = 1.5\n"), "f.toml, line 2: train.count must be an integer");
  EXPECT_EQ(text_error("[train]\nrate = nan\n"),
            "f.toml, line 2: train.rate must lie between 0 and 1, but it is nan");
  std::int64_t seed = 1;
  double temperature = 1, any = 1;
  Config bounds({{"seed", "", &seed, 0}, {"temperature", "", &temperature, -1e300, 1e6}, {"any", "", &any}});
  EXPECT_EQ(error_of([&] { bounds.set({"seed=-1"}); }), "\"seed=-1\": seed must be at least 0, but it is -1");
  EXPECT_EQ(error_of([&] { bounds.set({"temperature=2e7"}); }),
            "\"temperature=2e7\": temperature must be at most 1000000, but it is 20000000");
  EXPECT_EQ(error_of([&] { bounds.set({"any=inf"}); }),
            "\"any=inf\": any must be a finite number, but it is inf");
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

TEST(Config, AnotherNameOfASettingIsUnderstood) {
  std::int64_t batch = 32, epochs = 60;
  double rate = 0.1, decay = 0;
  std::string schedule = "cosine";
  Config config({{"train.epochs", "", &epochs, 1, 100},
                 {"train.batch", "", &batch, 1, 100},
                 {"train.learning_rate", "", &rate, 0, 1},
                 {"train.weight_decay", "", &decay, 0, 1},
                 {"train.schedule", "", &schedule, 0, 0, {"constant", "step", "cosine"}},
                 {"model.channels", "", &batch, 1, 100}});
  const std::pair<const char*, const char*> words[] = {{"lr", "train.learning_rate"},
                                                       {"train.lr", "train.learning_rate"},
                                                       {"LR", "train.learning_rate"},
                                                       {"learning-rate", "train.learning_rate"},
                                                       {"train.learning_rat", "train.learning_rate"},
                                                       {"learnign_rate", "train.learning_rate"},
                                                       {"trian.epochs", "train.epochs"},
                                                       {"epoch", "train.epochs"},
                                                       {"model.epochs", "train.epochs"},
                                                       {"batch_size", "train.batch"},
                                                       {"wd", "train.weight_decay"},
                                                       {"model.chanels", "model.channels"},
                                                       {"train.learn", "train.learning_rate"},
                                                       {"Train.Batch", "train.batch"}};
  for (const auto& [word, key] : words) {
    const std::string assignment = concat(word, "=1");
    EXPECT_EQ(error_of([&] { config.set({assignment}); }),
              concat("\"", assignment, "\": there is no setting ", word, "; did you mean '", key, "'?"));
  }
  EXPECT_EQ(
      error_of([&] { config.set({"train.colour=1"}); }),
      "\"train.colour=1\": there is no setting train.colour; that section has train.epochs, train.batch, "
      "train.learning_rate, train.weight_decay, train.schedule");
  EXPECT_EQ(error_of([&] { config.set({"colour=1"}); }), "\"colour=1\": there is no setting colour");
  EXPECT_EQ(error_of([&] { config.set({"epochs"}); }),
            "\"epochs\": a setting is written key=value; did you mean 'train.epochs=VALUE'?");
  EXPECT_EQ(
      error_of([&] { config.set({"train.schedule=cosin"}); }),
      "\"train.schedule=cosin\": train.schedule must be one of constant, step, cosine, but it is cosin; did "
      "you mean 'cosine'?");
}

TEST(NearestWord, CountsLettersThatDiffer) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("fti", "fit"), 1U);  // neighbours swapped
  EXPECT_EQ(nearest_word("OTU", {"out", "data"}), "out");
  EXPECT_EQ(nearest_word("fitt", {"predict", "fit"}), "fit");
  EXPECT_EQ(nearest_word("conf", {"config", "cost"}), "config");  // the beginning of a word
  EXPECT_EQ(nearest_word("co", {"config"}), "");
  EXPECT_EQ(nearest_word("x", {"y"}), "");  // nothing in common
  EXPECT_EQ(nearest_word("export", {"import", "predict"}), "import");
  EXPECT_EQ(nearest_word("nonsense", {"import", "predict"}), "");
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
