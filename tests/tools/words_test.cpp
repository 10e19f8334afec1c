// Wrong command lines: one sentence names what was probably meant; -h works everywhere.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;
using testing_tools::run;

// A wrong command line and what the tool says.
const std::pair<const char*, const char*> kLines[] = {
    {"train --data a --out b train.learning_rat=1",
     "train: \"train.learning_rat=1\": there is no setting train.learning_rat; did you mean 'train.learning_rate'?"},
    {"train --dry-run lr=0.1",
     "train: \"lr=0.1\": there is no setting lr; did you mean 'train.learning_rate'?"},
    {"train --dry-run epochs",
     "train: \"epochs\": a setting is written key=value; did you mean 'train.epochs=VALUE'?"},
    {"train --dry-run train.optimizer=adan",
     "train: \"train.optimizer=adan\": train.optimizer must be one of adam, adamw, sgd, but it is adan; did you "
     "mean 'adam'?"},
    {"train --dry-run device=gpu",
     "train: device=gpu: expected auto, cpu, cuda or cuda:N; did you mean 'device=cuda'?"},
    {"train --data a --out b --epochs 3",
     "train: there is no option --epochs; a setting is written without dashes: train.epochs=3"},
    {"train --data a --out b --epochs=3 train.seed=2",
     "train: there is no option --epochs; a setting is written without dashes: train.epochs=3"},
    {"train --lr 0.01",
     "train: there is no option --lr; a setting is written without dashes: "
     "train.learning_rate=0.01"},
    {"train --batch-size --data a",
     "train: there is no option --batch-size; a setting is written without dashes: train.batch=VALUE"},
    {"train model.name=mlp task=dataset --hiden 64",
     "train: there is no option --hiden; a setting is written without dashes: model.hidden=64"},
    {"train --overfti --data a --out b", "train: there is no option --overfti; did you mean '--overfit'?"},
    {"train --dat a --out b", "train: there is no option --dat; did you mean '--data'?"},
    {"train --conf c.toml", "train: there is no option --conf; did you mean '--config'?"},
    {"train --colour blue", "train: there is no option --colour; train --help lists the options"},
    {"mock --otu u.h5", "mock: there is no option --otu; did you mean '--out'?"},
    {"mock --out u.h5 --boxsize=60", "mock: there is no option --boxsize; did you mean '--box-size'?"},
    {"mock --out u.h5 seed=3", "mock: unexpected word seed=3; did you mean '--seed 3'?"},
    {"mock u.h5", "mock: unexpected word u.h5; mock --help lists the options"},
    {"mock -out u.h5", "mock: there is no option -out; did you mean '--out'?"},
    {"predict --ran r --data a --out p", "predict: there is no option --ran; did you mean '--run'?"},
    {"evaluate --runs r --data a --out p", "evaluate: there is no option --runs; did you mean '--run'?"},
    {"forest fitt",
     "forest: there is no subcommand fitt, only fit, search, predict, importance and export; did you mean 'fit'?"},
    {"forest bogus --data x",
     "forest: there is no subcommand bogus, only fit, search, predict, importance and export"},
    {"forest", "forest: a subcommand is expected: fit, search, predict, importance or export"},
    {"forest fit --tres 5 --data a --out b",
     "forest fit: there is no option --tres; did you mean '--trees'?"},
    {"forest fit --target log11 --data a --out b",
     "forest fit: --target: there is no log11, only log10 and linear; did you mean 'log10'?"},
    {"predict --precision fp8 --run a --data b --out c",
     "predict: --precision: there is no fp8, only fp32, tf32 and bf16"},
    {"mock", "mock: --out is required; mock --help lists the options"},
    {"forest --trees 5 fit --data a --out b", "forest fit: --trees must follow fit: forest fit --trees ..."},
    {"mock --out u.h5 --box-size abc", "mock: --box-size: a number is expected, not abc"},
    {"mock --out u.h5 --seed 1.5", "mock: --seed: a whole number is expected, not 1.5"},
    {"mock --out u.h5 --seed -1", "mock: --seed: a whole number from 0 is expected, not -1"},
    {"mock --out u.h5 --overwrite=maybe", "mock: --overwrite takes no value"},
    {"mock --out a --out b", "mock: --out: one value is expected, not 2"},
    {"forest fit --subbox-size abc --data a --out b",
     "forest fit: --subbox-size: a number is expected, not abc"},
    {"forest fit --trees 0 --data a --out b",
     "forest fit: --trees: a whole number in the range 1 to 65536 is expected, not 0"},
    {"import table f --out", "import table: --out: a value is missing"},
    {"train --data a --out b --resume --overwrite", "train: --resume and --overwrite exclude each other"},
    {"import hlst f --out o",
     "import: there is no subcommand hlst, only camels, hlist, um-bin, umml-csv, halotools and table; did you mean "
     "'hlist'?"},
    {"import hlist f --bx-size 25 --out o",
     "import hlist: there is no option --bx-size; did you mean '--box-size'?"}};

TEST(WrongWords, GetASentenceThatNamesWhatWasMeant) {
  for (const auto& [command, sentence] : kLines) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.output, std::string(sentence) + "\n") << command;
    EXPECT_EQ(outcome.status,
              outcome.output.starts_with("train: \"") || outcome.output.starts_with("train: device") ? 1 : 2)
        << command;
  }
}

TEST(WrongWords, OfThePlotsToo) {
  const std::string plot = "/usr/bin/python3 '" UMBRA_SOURCE_DIR "/tools/plot.py' ";
  const std::pair<const char*, const char*> lines[] = {
      {"smff --out x",
       "there is no command smff, only smf, table, changes, loss, slice, predictions, "
       "boxes, confusion, mistakes, halos, importance, front; did you mean 'smf'?"},
      {"sfm --out x",
       "there is no command sfm, only smf, table, changes, loss, slice, predictions, "
       "boxes, confusion, mistakes, halos, importance, front; did you mean 'smf'?"},
      {"slice --out x --depht=3 --data c.h5", "there is no option --depht; did you mean '--depth'?"},
      {"slice --out x --colour red", "there is no option --colour"}};
  for (const auto& [arguments, sentence] : lines) {
    const Outcome outcome = run(plot + arguments);
    if (outcome.output.find("lacks the module") != std::string::npos)
      GTEST_SKIP() << "no python3 with matplotlib and h5py: plot.py cannot be run";
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_TRUE(outcome.output.ends_with(std::string("error: ") + sentence + "\n")) << outcome.output;
  }
}

TEST(Help, HasAShortForm) {
  for (const char* command :
       {"train", "predict", "evaluate", "mock", "import", "import hlist", "import camels", "forest",
        "forest fit", "forest search", "forest predict", "forest importance", "forest export"}) {
    const Outcome brief = run(std::string(command) + " -h"), whole = run(std::string(command) + " --help");
    EXPECT_EQ(brief.status, 0) << command;
    EXPECT_EQ(brief.output, whole.output) << command;
    EXPECT_NE(brief.output.find("-h,--help"), std::string::npos) << command;
  }
}

}  // namespace
}  // namespace umbra
