// How the tools treat the user's files and streams: nothing is lost, every failure has an exit status, and
// files have a format version.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include "data/catalogs/catalog.h"
#include "engine/io/hdf5.h"
#include "engine/io/safetensors.h"
#include "tests/fixtures/run_tool.h"
#include "tools/common/command_line.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;
using testing_tools::run_and_signal;

// A universe of 27 sub-boxes, a run and a forest of it for the whole file.
class UserFilesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    ASSERT_EQ(run("mock --box-size 75 --seed 3 --out " + path("mock.h5")).status, 0);
    ASSERT_EQ(run(train("run")).status, 0);
    ASSERT_EQ(run("forest fit --trees 3 --data " + path("mock.h5") + " --out " + path("forest.h5")).status,
              0);
    std::ofstream(folder() / "t.csv") << "X,Y,Z,Vpeak\n1,2,3,200\n";
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra user's files " + std::to_string(getpid()));
  }
  static std::string quoted(const std::string& text) {
    std::string word = "\"";
    for (const char c : text) word += c == '"' ? std::string("\\\"") : std::string(1, c);
    return word + "\"";
  }
  static std::string path(const std::string& name) { return quoted((folder() / name).string()); }
  static std::string train(const std::string& out, const std::string& more = "") {
    return "train --data " + path("mock.h5") + " --out " + path(out) +
           " model.channels=2 train.batch=4 train.epochs=2 " + more;
  }
  // Every tool that writes a file, up to --out.
  static std::vector<std::string> commands() {
    const std::string data = " --overwrite --data " + path("mock.h5");
    return {"predict --run " + path("run") + data,
            "evaluate --run " + path("run") + data,
            "mock --overwrite --box-size 50",
            "import umml-csv --overwrite " + path("t.csv"),
            "forest fit --trees 2" + data,
            "forest predict --model " + path("forest.h5") + data,
            "forest importance --trees 2 --model " + path("forest.h5") + data,
            "forest search --trees 2 --max-depth 3 --score oob" + data,
            "forest export --overwrite --model " + path("forest.h5")};
  }
  static void expect_error(const std::string& command, const std::vector<std::string>& words,
                           int status = 1) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, status) << command << "\n" << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " | " << command << "\n"
                                                              << outcome.output;
  }
  static std::vector<std::string> hidden_files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder()))
      if (entry.path().filename().string().starts_with(".")) names.push_back(entry.path().string());
    return names;
  }
};

TEST_F(UserFilesTest, AStandardOutputThatTakesNothingIsAnErrorOfEveryTool) {
  std::vector<std::string> all = commands();
  for (std::string& command : all) command += " --out " + path("written");
  all.push_back(train("full"));
  for (const char* help : {"train --help", "import hlist --help", "forest --help", "train --dry-run"})
    all.push_back(help);
  for (const std::string& command : all) {
    fs::remove(folder() / "written");
    const bool writes = command.find("written") != std::string::npos;
    for (const char* closed : {">/dev/full", ">&-"}) {
      fs::remove_all(folder() / "full");
      expect_error("(" + command + " 2>&1 " + closed + ")", {"standard output cannot be written"});
      EXPECT_EQ(fs::exists(folder() / "written"), writes) << command;  // only the output is lost
    }
  }
  expect_error("(mock --box-size 50 --out " + path("written") + " 2>&1 >/dev/full)", {"No space left"});
}

TEST_F(UserFilesTest, AnInputIsNeverTheOutput) {
  for (const std::string& command : commands())
    for (const char* input : {"mock.h5", "forest.h5", "t.csv", "run/best.h5", "run/last.h5"}) {
      if (command.find(fs::path(input).parent_path().empty() ? input : "/run\"") == std::string::npos)
        continue;
      const std::string before = bytes(folder() / input);
      fs::remove(folder() / "link");
      fs::create_symlink(folder() / input, folder() / "link");
      for (const std::string& out : {path(input), path("link"), path("./run/../" + std::string(input))})
        expect_error(command + " --out " + out, {"would be lost"});
      EXPECT_TRUE(bytes(folder() / input) == before) << command << input;
    }
  fs::create_directories(folder() / "mine");
  std::ofstream(folder() / "mine/config.toml") << "# my remarks\n[model]\nchannels = 2\n";
  expect_error(train("mine", "--config " + path("mine/config.toml")), {"--config", "would be lost"});
  expect_error(train("mine"), {"mine", "config.toml", "would be lost"});
  EXPECT_EQ(bytes(folder() / "mine/config.toml"), "# my remarks\n[model]\nchannels = 2\n");
}

// A run is its whole folder, not only last.h5.
TEST_F(UserFilesTest, NothingOfARunIsLost) {
  const auto copy = [&](const char* name) {
    fs::remove_all(folder() / name);
    fs::copy(folder() / "run", folder() / name, fs::copy_options::recursive);
    return std::string("train --resume --data ") + path("mock.h5") + " --out " + path(name) +
           " train.epochs=3";
  };
  copy("r");
  for (const char* out : {"r/last.h5", "r/metrics.csv", "r/config.toml", "r/best.safetensors"})
    expect_error("predict --run " + path("r/best.h5") + " --data " + path("mock.h5") + " --out " + path(out),
                 {out, "would be lost"});
  fs::remove(folder() / "r/last.h5");
  expect_error(train("r"), {"/r", "no last.h5", "would be lost"});
  std::string resume = copy("r");
  std::string config = bytes(folder() / "r/config.toml");
  expect_error(resume + " --weights " + path("none"), {"--weights"});
  std::ofstream(folder() / "r/config.toml") << config << "# a note\n";
  EXPECT_EQ(run("train --resume --data " + path("mock.h5") + " --out " + path("r")).status, 0);
  EXPECT_NE(bytes(folder() / "r/config.toml").find("# a note"), std::string::npos);  // nothing to write
  config.replace(config.find("learning_rate = 0.003"), 21, "learning_rate = 0.1  ");
  std::ofstream(folder() / "r/config.toml") << config;
  expect_error(resume, {"config.toml", "changed after the run started"});
  EXPECT_EQ(bytes(folder() / "r/config.toml"), config);
  resume = copy("r");
  std::ofstream(folder() / "r/metrics.csv") << "epoch;step;split\n1;1;train\n";
  expect_error(resume, {"metrics.csv", "first line"});
  resume = copy("r");
  const std::string before = bytes(folder() / "r/config.toml");
  fs::remove(folder() / "r/metrics.csv");
  fs::create_symlink("/dev/null", folder() / "r/metrics.csv");
  expect_error(resume, {"metrics.csv", "not a regular file"});
  EXPECT_EQ(bytes(folder() / "r/config.toml"), before);
  resume = copy("r");
  fs::remove(folder() / "r/best.h5");
  const Outcome outcome = run(resume);
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("best.h5 is missing"), std::string::npos) << outcome.output;
}

TEST_F(UserFilesTest, OutputsAreWrittenThroughLinksAndKeepTheirMode) {
  for (const std::string& command : commands()) {
    fs::remove(folder() / "link");
    fs::remove(folder() / "real");
    std::ofstream(folder() / "real") << "old";
    ::chmod((folder() / "real").c_str(), 0600);
    fs::create_symlink("real", folder() / "link");
    const Outcome outcome = run(command + " --out " + path("link"));
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    EXPECT_TRUE(fs::is_symlink(folder() / "link")) << command;
    EXPECT_GT(fs::file_size(folder() / "real"), 100u) << command;
    EXPECT_EQ(fs::status(folder() / "real").permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << command;
    expect_error(command + " --out /dev/null", {"/dev/null", "not a regular file"});
    expect_error(command + " --out /dev/stdout", {"/dev/stdout", "cannot write"});
  }
  EXPECT_TRUE(hidden_files().empty());
}

// A full disk is simulated by a limit on the size of files.
TEST_F(UserFilesTest, AFullDiskOrAFolderThatIsClosedLeavesWhatWasThere) {
  if (std::string_view(UMBRA_SANITIZER) == "thread")
    GTEST_SKIP() << "ThreadSanitizer maps a file of its own at start-up and dies under the limit that stands "
                    "for a full disk";
  for (const std::string& command : commands()) {
    std::ofstream(folder() / "old") << "old";
    fs::remove(folder() / "link");
    fs::create_symlink("old", folder() / "link");
    for (const char* out : {"old", "link"})
      expect_error("(ulimit -f 0; " + command + " --out " + path(out) + ")", {std::string("/") + out});
    EXPECT_EQ(bytes(folder() / "old"), "old") << command;
    expect_error(command + " --out " + path("no folder/file"), {"no folder", "does not exist"});
  }
  EXPECT_TRUE(hidden_files().empty());
}

TEST_F(UserFilesTest, AStoppedRunSaysHowItGoesOn) {
  const std::string settings = "train.epochs=4000 train.checkpoint_steps=5";
  const std::pair<const char*, int> signals[] = {{"TERM", 143}, {"INT", 130}};
  for (const auto& [signal, status] : signals) {
    fs::remove_all(folder() / "stopped");
    const Outcome stopped = run_and_signal(train("stopped", settings), "epoch 5/4000", signal);
    ASSERT_EQ(stopped.status, status) << stopped.output;
    const std::string marker = "continue with: ";
    const std::size_t at = stopped.output.find(marker);
    ASSERT_NE(at, std::string::npos) << stopped.output;
    std::string command = stopped.output.substr(at + marker.size());
    command.pop_back();
    const Outcome resumed = run_and_signal(command + " train.epochs=4001", "/4001", "TERM");
    EXPECT_EQ(resumed.status, 143) << command << "\n" << resumed.output;
  }
}

TEST_F(UserFilesTest, AToolThatIsKilledLeavesNothingAside) {
  ::setenv("GOMP_SPINCOUNT", "1000", 1);  // else run_tool() starts again
  ToolApp app("", "tool");
  std::string name = "tool";
  char* arguments[] = {name.data(), nullptr};
  const fs::path target = folder() / "pending";
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGXCPU, SIGSEGV}) {
    const auto killed = [&] {
      std::signal(signal, SIG_DFL);  // under nohup SIGHUP is ignored, by the tools too
      run_tool(app, 1, arguments, [&] {
        const AtomicFile pending(target);
        std::raise(signal);
      });
    };
    EXPECT_EXIT(killed(), testing::KilledBySignal(signal), "");
    EXPECT_TRUE(hidden_files().empty());
  }
}

TEST_F(UserFilesTest, AToolIsFoundByItsName) {
  ::setenv("GOMP_SPINCOUNT", "1000", 1);  // else run_tool() starts again
  ToolApp app("", "tool");
  std::string word = "exe";
  char* arguments[] = {word.data(), nullptr};
  const auto named = [&] {
    run_tool(app, 1, arguments, [&] {
      char name[16] = "";
      ::prctl(PR_GET_NAME, name);
      ::_exit(name == app.get_name() ? 0 : 1);
    });
  };
  EXPECT_EXIT(named(), testing::ExitedWithCode(0), "");
}

TEST_F(UserFilesTest, MoreOrFewerEpochsSayWhatBecomesOfTheSchedule) {
  ASSERT_EQ(run(train("epochs", "train.epochs=4")).status, 0);
  const std::string resume = "train --resume --data " + path("mock.h5") + " --out " + path("epochs");
  const std::string config = bytes(folder() / "epochs/config.toml"),
                    last = bytes(folder() / "epochs/last.h5");
  expect_error(resume + " train.epochs=3", {"train.epochs=3", "at least 4"});
  EXPECT_TRUE(bytes(folder() / "epochs/config.toml") == config && bytes(folder() / "epochs/last.h5") == last);
  const Outcome more = run(resume + " train.epochs=6");
  EXPECT_EQ(more.status, 0);
  EXPECT_NE(more.output.find("from 4 to 6: the cosine schedule now ends with epoch 6"), std::string::npos)
      << more.output;
  ASSERT_EQ(run(train("constant", "train.schedule=constant")).status, 0);
  const Outcome constant =
      run("train --resume --data " + path("mock.h5") + " --out " + path("constant") + " train.epochs=3");
  EXPECT_NE(constant.output.find("the constant schedule is unchanged"), std::string::npos) << constant.output;
  EXPECT_EQ(run(resume).output.find("schedule"), std::string::npos);
}

TEST_F(UserFilesTest, ConfigurationsComeOutOfPipesAndWithDecorations) {
  for (const char* text : {"[model]\\nchannels = 3\\n", "\\xef\\xbb\\xbf[model]\\r\\nchannels = 3\\r\\n"}) {
    const Outcome outcome = run("train --dry-run --config <(printf '" + std::string(text) + "')");
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("conv1"), std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output, run("train --dry-run model.channels=3").output);
  }
  expect_error("train --dry-run --config <(printf 'a\\rb\\r')", {"carriage return"});
}

TEST_F(UserFilesTest, FilesSayHowOldTheyAre) {
  const auto version_of = [](const fs::path& file) {
    return Hdf5File::open(file).attribute_integer("/", "format_version");
  };
  for (const char* file : {"mock.h5", "run/last.h5", "run/best.h5", "forest.h5"})
    EXPECT_EQ(version_of(folder() / file), 1) << file;
  for (const std::string& command : commands()) {
    ASSERT_EQ(run(command + " --out " + path("out")).status, 0) << command;
    const std::string content = bytes(folder() / "out");
    if (content.starts_with("\x89HDF"))
      EXPECT_EQ(version_of(folder() / "out"), 1) << command;
    else
      EXPECT_EQ(nlohmann::json::parse(content)["format_version"], 1) << command;
  }
  EXPECT_TRUE(bytes(folder() / "run/config.toml").starts_with("format_version = 1"));
  EXPECT_EQ(read_safetensors(folder() / "run/best.safetensors").metadata.at("format_version"), "1");
}

// Written as by a later release.
void set_version(const fs::path& file, const char* version) {
  run("/usr/bin/python3 -c \"import h5py; f = h5py.File('''" + file.string() + "''', 'a'); " +
      (version[0] != 0 ? std::string("f.attrs['format_version'] = ") + version
                       : "del f.attrs['format_version']") +
      "\"");
}

TEST_F(UserFilesTest, NewerFilesAreRefusedAndOlderOnesRead) {
  if (run("/usr/bin/python3 -c 'import h5py'").status != 0) GTEST_SKIP() << "python3-h5py is not installed";
  fs::copy(folder() / "run", folder() / "changed", fs::copy_options::recursive);
  for (const char* file : {"mock.h5", "forest.h5"}) fs::copy(folder() / file, folder() / "changed");
  const std::string data = " --data " + path("changed/mock.h5"), out = " --overwrite --out " + path("x");
  const std::pair<const char*, std::string> uses[] = {
      {"mock.h5", "predict --run " + path("run") + data + out},
      {"best.h5", "predict --run " + path("changed") + " --data " + path("mock.h5") + out},
      {"last.h5", "train --resume --data " + path("mock.h5") + " --out " + path("changed")},
      {"forest.h5", "forest export --overwrite --model " + path("changed/forest.h5") + out}};
  for (const auto& [file, command] : uses) {
    set_version(folder() / "changed" / file, "7");
    expect_error(command, {file, "format version 7", "up to 1"});
    set_version(folder() / "changed" / file, "");
    const Outcome older = run(command);
    EXPECT_EQ(older.status, 0) << command << "\n" << older.output;
  }
  // The version is checked before the unknown content of such a file.
  run("/usr/bin/python3 -c \"import h5py; f = h5py.File(\'\'\'" + (folder() / "changed/mock.h5").string() +
      "\'\'\', \'a\'); f.move(\'halos\', \'new\'); f.attrs[\'format_version\'] = 7\"");
  expect_error("predict --run " + path("run") + data + out, {"mock.h5", "format version 7"});
  std::ofstream(folder() / "c.toml") << "format_version = 9\n[aaa]\nnew = 1\n";
  expect_error("train --dry-run --config " + path("c.toml"), {"c.toml", "format version 9", "up to 1"});
  std::string weights = bytes(folder() / "run/best.safetensors");
  const std::string mine = "\"format_version\":\"1\"";
  weights.replace(weights.find(mine), mine.size(), "\"format_version\":\"2\"");
  std::ofstream(folder() / "w.safetensors", std::ios::binary) << weights;
  expect_error(train("weights", "--weights " + path("w.safetensors")), {"w.safetensors", "format version 2"});
}

TEST_F(UserFilesTest, AConstantTargetHasAScoreOrNone) {
  Catalog catalog = read_catalog(folder() / "mock.h5");
  std::fill(catalog.columns["stellar_mass"].begin(), catalog.columns["stellar_mass"].end(), 1e10);
  write_catalog(folder() / "constant.h5", catalog);
  const Outcome outcome =
      run("forest fit --trees 3 --data " + path("constant.h5") + " --out " + path("c.h5"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("1.00000"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("nan"), std::string::npos) << outcome.output;
}

TEST_F(UserFilesTest, WordsForAShell) {
  for (const std::string& text :
       {std::string("plain/path-1.h5"), std::string("two words"), std::string("it's"),
        std::string("a\nb\t'c'\\d"), std::string(""), std::string("$HOME `x` *")}) {
    const Outcome echoed = run("printf %s " + shell_word(text));
    EXPECT_EQ(echoed.output, text);
    EXPECT_EQ(shell_word(text).find('\n'), std::string::npos);
  }
}

TEST_F(UserFilesTest, AFolderThatIsClosedSaysWhy) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  fs::create_directories(folder() / "closed");
  fs::permissions(folder() / "closed", fs::perms(0733));
  fs::permissions(folder(), fs::perms(0755));
  const std::string nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
  if (run(nobody + "test -r " + path("mock.h5")).status != 0) GTEST_SKIP() << "setpriv cannot be used here";
  expect_error(nobody + "./" + train("closed"), {"closed", "Permission denied"});
  fs::permissions(folder() / "closed", fs::perms(0755));
  for (const std::string& command : commands())
    expect_error(nobody + "./" + command + " --out " + path("closed/out"),
                 {"closed/out", "Permission denied"});
  EXPECT_TRUE(fs::is_empty(folder() / "closed"));
}

}  // namespace
}  // namespace umbra
