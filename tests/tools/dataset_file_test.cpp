// Files for the dataset task: the accepted formats, and the error messages for all others; inputs in memory
// and inputs read from the file give the same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "engine/cpu/parallel.h"
#include "models/tasks/dataset/dataset_task.h"
#include "models/tasks/dataset/memory.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> noise(std::size_t count, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kTest);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(std::floor(256 * rng.uniform(i)));
  return numbers;
}

class DatasetFileTest : public FileTest {
 protected:
  std::unique_ptr<DatasetData> read(const DatasetSettings& settings = DatasetSettings()) {
    settings_ = settings;
    return std::make_unique<DatasetData>(path("d.h5"), settings_);
  }
  /// Eight samples of two features and three classes, modified by `change`.
  struct Parts {
    hid_t input_type = H5T_IEEE_F32LE, target_type = H5T_STD_I64LE, split_type = H5T_STD_I64LE;
    std::vector<hsize_t> input_shape{8, 2}, target_shape{8}, split_shape{8};
    std::vector<double> inputs = noise(16, 1), targets{0, 1, 2, 0, 1, 2, 0, 1}, split{0, 0, 0, 0, 1, 1, 1, 1};
    double classes = 0, scale = 0;
    std::vector<const char*> names, target_names;
    bool has_inputs = true, has_targets = true;
  };
  void make(const Parts& parts) const {
    DataFileMaker maker(path("d.h5"));
    if (parts.has_inputs) maker.add("inputs", parts.input_type, parts.input_shape, parts.inputs);
    if (parts.has_targets) maker.add("targets", parts.target_type, parts.target_shape, parts.targets);
    if (!parts.split.empty()) maker.add("split", parts.split_type, parts.split_shape, parts.split);
    if (parts.scale != 0) maker.number("inputs", "scale", H5T_IEEE_F64LE, parts.scale);
    if (parts.classes != 0) maker.number("targets", "classes", H5T_STD_I64LE, parts.classes);
    if (!parts.names.empty()) maker.texts("targets", "classes", parts.names);
    if (!parts.target_names.empty()) maker.texts("targets", "target_names", parts.target_names);
  }
  void expect_refused(const std::function<void(Parts&)>& change, std::initializer_list<std::string> words) {
    Parts parts;
    change(parts);
    make(parts);
    expect_message([&] { read(); }, {"d.h5"});
    expect_message([&] { read(); }, words);
  }

  DatasetSettings settings_;  // must outlive the result of read()
};

TEST_F(DatasetFileTest, WrongInputsAreNamed) {
  expect_refused([](Parts& p) { p.has_inputs = false; }, {"no dataset /inputs", "are expected"});
  expect_refused([](Parts& p) { p.input_shape = {16}; }, {"/inputs", "[16]", "[n, channels]"});
  expect_refused([](Parts& p) { p.input_shape = {8, 1, 1, 1, 1, 2}; }, {"/inputs", "three spatial axes"});
  expect_refused([](Parts& p) { p.input_shape = {0, 2}, p.inputs = {}; }, {"/inputs", "no rows"});
  expect_refused([](Parts& p) { p.input_shape = {8, 0}, p.inputs = {}; }, {"/inputs", "[8, 0]"});
  expect_refused([](Parts& p) { p.input_type = H5T_STD_I16LE; }, {"/inputs", "integers of 2 bytes", "u8"});
  expect_refused([](Parts& p) { p.input_type = H5T_STD_I8LE, p.inputs.assign(16, -1); },
                 {"inputs", "do not fit into u8"});
  expect_refused([](Parts& p) { p.inputs[11] = kNan; }, {"/inputs", "row 5", "nan", "finite"});
  expect_refused([](Parts& p) { p.inputs[14] = INFINITY; }, {"/inputs", "row 7", "inf", "finite"});
  expect_refused([](Parts& p) { p.input_type = H5T_IEEE_F64LE, p.inputs[2] = 1e300; },
                 {"/inputs", "row 1", "1e+300", "32-bit"});
  expect_refused([](Parts& p) { p.input_type = H5T_STD_U8LE, p.scale = kNan; }, {"/inputs", "scale", "nan"});
}

TEST_F(DatasetFileTest, WrongTargetsAreNamed) {
  expect_refused([](Parts& p) { p.has_targets = false; }, {"no dataset /targets", "are expected"});
  expect_refused([](Parts& p) { p.target_shape = {7}, p.targets.pop_back(); }, {"/targets", "7 rows", "8"});
  expect_refused([](Parts& p) { p.target_shape = {8, 1}; }, {"/targets", "integers of 8 bytes", "[8, 1]"});
  expect_refused(
      [](Parts& p) {
        p.target_type = H5T_IEEE_F32LE, p.target_shape = {8, 1, 1};
      },
      {"/targets", "floats of 4 bytes", "[8, 1, 1]", "[n, k]"});
  expect_refused(
      [](Parts& p) {
        p.target_type = H5T_IEEE_F32LE, p.target_shape = {8, 0}, p.targets = {};
      },
      {"/targets", "[8, 0]", "at least one value"});
  expect_refused([](Parts& p) { p.targets[3] = -1; }, {"/targets", "row 3", "label -1", "0 to"});
  expect_refused([](Parts& p) { p.targets[6] = 1 << 24; }, {"/targets", "row 6", "16777216", "16777215"});
  expect_refused([](Parts& p) { p.classes = 2; }, {"/targets", "row 2", "label 2", "0 to 1", "classes"});
  expect_refused([](Parts& p) { p.names = {"a", "b"}; }, {"/targets", "row 2", "label 2", "0 to 1"});
  expect_refused([](Parts& p) { p.classes = 1 << 25; }, {"/targets", "classes", "33554432", "16777216"});
  expect_refused([](Parts& p) { p.targets.assign(8, 0); }, {"/targets", "all labels are 0", "two classes"});
  expect_refused([](Parts& p) { p.targets = {0, 1, 1, 0, 1, 2, 2, 1}; },
                 {"/targets", "class 2 has no sample to train on", "expected"});
  expect_refused([](Parts& p) { p.names = {"a", "b", "c", "d"}; }, {"class 3 ('d')", "no sample"});
  expect_refused([](Parts& p) { p.targets.assign(8, 0), p.targets[5] = 1, p.split = {}; },
                 {"class 1", "train.split_seed"});
  expect_refused([](Parts& p) { p.target_type = H5T_IEEE_F64LE, p.targets[4] = kNan; },
                 {"/targets", "row 4", "nan", "finite"});
  expect_refused([](Parts& p) { p.target_type = H5T_IEEE_F64LE, p.targets[4] = 1e300; },
                 {"/targets", "row 4", "1e+300", "32-bit"});
  expect_refused([](Parts& p) { p.targets[4] = 2020; },
                 {"class 3", "integers are classes, values are floats"});
  expect_refused(
      [](Parts& p) {
        p.target_type = H5T_IEEE_F32LE, p.target_names = {"a", "b"};
      },
      {"/targets", "target_names", "2 names", "1 are expected"});
}

TEST_F(DatasetFileTest, WrongSplitsAreNamed) {
  expect_refused([](Parts& p) { p.split_shape = {7}, p.split.pop_back(); }, {"/split", "7 rows", "8"});
  expect_refused([](Parts& p) { p.split[5] = 3; }, {"/split", "row 5", "holds 3", "0 for"});
  expect_refused([](Parts& p) { p.split.assign(8, 1); }, {"/split", "train on (0)"});
  expect_refused([](Parts& p) { p.split.assign(8, 0); }, {"/split", "validate on (1)"});
  expect_refused([](Parts& p) { p.split_type = H5T_IEEE_F64LE; },
                 {"/split", "floats of 8 bytes", "integers"});
  expect_refused([](Parts& p) { p.split_shape = {2, 4}; }, {"/split", "[2, 4]"});
  expect_refused(
      [](Parts& p) {
        p.input_shape = {1, 2}, p.target_shape = {1}, p.target_type = H5T_IEEE_F32LE, p.split = {};
        p.inputs.resize(2), p.targets.resize(1);
      },
      {"1 sample"});
}

TEST_F(DatasetFileTest, SamplesThatTheSplitLeavesAloneAreNotUsed) {
  Parts parts;
  parts.split[5] = 2;
  make(parts);
  const DatasetSettings settings;
  const auto data = read(settings);
  EXPECT_EQ(data->split().train.size() + data->split().validation.size(), 7U);
}

TEST_F(DatasetFileTest, TextsAndTablesAreNoNumbers) {
  const auto refused = [&](const char* dataset, hid_t type, const std::string& what) {
    {
      DataFileMaker maker(path("d.h5"));
      if (std::string(dataset) == "inputs") maker.add("inputs", type, {8, 2}, {});
      if (std::string(dataset) != "inputs") maker.add("inputs", H5T_IEEE_F32LE, {8, 2}, noise(16, 1));
      maker.add("targets", type, {8}, {});
    }
    expect_message([&] { read(); }, {"d.h5", dataset, what, "expected"});
  };
  const hid_t text = H5Tcopy(H5T_C_S1), table = H5Tcreate(H5T_COMPOUND, 8);
  H5Tset_size(text, 8);
  H5Tinsert(table, "a", 0, H5T_NATIVE_DOUBLE);
  for (const char* dataset : {"inputs", "targets"}) {
    refused(dataset, text, "texts");
    refused(dataset, table, "a table");
  }
  H5Tclose(text), H5Tclose(table);
}

TEST_F(DatasetFileTest, ClassesValuesAndTheirNames) {
  Parts parts;
  parts.names = {"ant", "bee", "cat"};
  parts.target_type = H5T_STD_U8LE;
  make(parts);
  const auto classes = read();
  EXPECT_EQ(classes->targets().classes, 3);
  EXPECT_EQ(classes->names(), (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(classes->split().train, (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(classes->fit().at("classes"), std::vector<double>{3});
  EXPECT_EQ(classes->fit().count("target_mean"), 0U);

  parts = {};
  parts.target_type = H5T_IEEE_F64LE;
  parts.target_shape = {8, 2};
  parts.targets = {1, 5, 3, 5, 1, 5, 3, 5, 9, 9, 9, 9, 9, 9, 9, 9};
  parts.target_names = {"mass", "age"};
  make(parts);
  const auto values = read();
  EXPECT_EQ(values->targets().classes, 0);
  EXPECT_EQ(values->names(), (std::vector<std::string>{"mass", "age"}));
  EXPECT_EQ(values->fit().at("target_mean"), (std::vector<double>{2, 5}));
  EXPECT_EQ(values->fit().at("target_scale"), (std::vector<double>{1, 1}));  // the second is constant
  DatasetSettings plain;
  plain.input_scaling = plain.target_scaling = "none";
  const Fitted fitted = read(plain)->fit();
  EXPECT_EQ(fitted.at("target_mean"), (std::vector<double>{0, 0}));
  EXPECT_EQ(fitted.at("input_mean"), (std::vector<double>{0, 0}));
  EXPECT_EQ(fitted.at("input_scale"), (std::vector<double>{1, 1}));
}

// Per channel, over training rows and positions alone; a constant channel is left as it is.
TEST_F(DatasetFileTest, InputsAreStandardisedByChannel) {
  const std::vector<double> inputs = [] {
    std::vector<double> numbers = noise(40 * 3 * 4, 7);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i / 4 % 3 == 1) numbers[i] = 0.1;                    // a constant that float cannot represent
      if (i / 4 % 3 == 2) numbers[i] += 1e6;                   // a large mean
      if (i / 12 % 2 == 1) numbers[i] = 12345.0 + numbers[i];  // validation rows
    }
    return numbers;
  }();
  std::vector<double> split, targets;
  for (int i = 0; i < 40; ++i) split.push_back(i % 2), targets.push_back(i);
  {
    DataFileMaker(path("d.h5"))
        .add("inputs", H5T_IEEE_F64LE, {40, 3, 2, 2}, inputs)
        .add("targets", H5T_IEEE_F32LE, {40}, targets)
        .add("split", H5T_STD_I8LE, {40}, split);
  }
  const Fitted fitted = read()->fit();
  EXPECT_EQ(fitted.at("input_shape"), (std::vector<double>{3, 2, 2}));
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    const auto each = [&](const auto& visit) {
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (i / 12 % 2 == 0 && i / 4 % 3 == c) visit(inputs[i]);
    };
    each([&](double x) { sum += x / 80; });
    each([&](double x) { squares += (x - sum) * (x - sum) / 80; });
    EXPECT_NEAR(fitted.at("input_mean")[c], sum, 1e-9 * (1 + sum)) << c;
    EXPECT_NEAR(fitted.at("input_scale")[c], c == 1 ? 1 : std::sqrt(squares), 1e-9) << c;
  }
}

// The data of a run: fitted numbers, fingerprint, samples.
struct Seen {
  Fitted fitted;
  std::vector<double> fingerprint;
  std::vector<float> samples;
  bool operator==(const Seen& other) const {
    return fitted == other.fitted && fingerprint == other.fingerprint &&
           std::memcmp(samples.data(), other.samples.data(), samples.size() * sizeof(float)) == 0;
  }
};

Seen see(DatasetData& data) {
  Seen seen{data.fit(), data.fingerprint(), {}};
  data.scale(seen.fitted);
  const std::unique_ptr<Dataset> training = data.training();
  const auto size = static_cast<std::size_t>(training->input_shape().count());
  seen.samples.resize(size * static_cast<std::size_t>(training->size()));
  parallel_for(training->size(), [&](std::int64_t i) {
    float target[1] = {};
    training->read(i, nullptr, std::span(seen.samples).subspan(static_cast<std::size_t>(i) * size, size),
                   target);
  });
  return seen;
}

TEST_F(DatasetFileTest, InMemoryInOnePieceAndInChunksAreTheSameBits) {
  const std::vector<hsize_t> shape{30, 3, 120, 100};  // more than one piece of 2^20 numbers
  const std::vector<double> inputs = noise(std::size_t{30} * 3 * 12000, 3);
  std::vector<double> targets(30);
  std::iota(targets.begin(), targets.end(), 0);
  std::vector<std::vector<double>> fingerprints;
  for (const hid_t type : {H5T_STD_U8LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE}) {
    std::vector<Seen> all;
    for (const hsize_t chunk : {0, 7}) {
      {
        DataFileMaker maker(path("d.h5"));
        maker.add("inputs", type, shape, inputs, chunk).add("targets", H5T_IEEE_F32LE, {30}, targets);
        if (type == H5T_STD_U8LE) maker.number("inputs", "scale", H5T_IEEE_F64LE, 1.0);
      }
      for (const char* resident : {"on", "off", "auto"}) {
        DatasetSettings settings;
        settings.resident = resident;
        const auto data = read(settings);
        EXPECT_EQ(data->notes().empty(), chunk == 0 || std::string(resident) != "off");
        if (!data->notes().empty()) {
          EXPECT_NE(data->notes()[0].find("h5repack"), std::string::npos);
        }
        all.push_back(see(*data));
      }
    }
    for (const Seen& seen : all) EXPECT_TRUE(seen == all[0]);
    fingerprints.push_back(all[0].fingerprint);
  }
  for (const std::vector<double>& fingerprint : fingerprints) EXPECT_EQ(fingerprint, fingerprints[0]);
}

TEST_F(DatasetFileTest, FingerprintsDifferWithInputsAndTargets) {
  Parts parts;
  make(parts);
  const std::vector<double> first = read()->fingerprint();
  EXPECT_EQ(read()->fingerprint(), first);
  parts.inputs[15] += 1;
  make(parts);
  EXPECT_NE(read()->fingerprint(), first);
  parts = {};
  parts.targets[7] = 2;
  make(parts);
  EXPECT_NE(read()->fingerprint(), first);
  parts = {};
  parts.split = {1, 0, 0, 0, 0, 1, 1, 1};
  make(parts);
  EXPECT_NE(read()->fingerprint(), first);
  parts.split = {};
  make(parts);
  EXPECT_NE(read()->fingerprint(), first);
}

// A batch for --overfit has samples of every class, in whatever order the file is.
TEST_F(DatasetFileTest, TheSamplesThatAreKeptAreSpreadOverTheFile) {
  Parts parts;
  parts.targets = {0, 0, 0, 1, 1, 1, 2, 2}, parts.split = {0, 0, 0, 0, 0, 0, 0, 1};
  parts.targets[6] = 2;
  make(parts);
  const auto data = read();
  data->keep(3);
  EXPECT_EQ(data->split().train, (std::vector<std::int64_t>{0, 2, 4}));
  EXPECT_EQ(data->split().validation, data->split().train);
}

// Dates as values: the network sees the difference from their mean, rounded to float.
TEST_F(DatasetFileTest, LargeValuesKeepTheirDigits) {
  Parts parts;
  parts.target_type = H5T_IEEE_F64LE;
  for (std::size_t i = 0; i < 8; ++i) parts.targets[i] = 20241230.5 + 0.25 * static_cast<double>(i % 4);
  make(parts);
  const auto data = read();
  const Fitted fitted = data->fit();
  data->scale(fitted);
  const DatasetFit fit = dataset_fit(fitted, "test");
  const auto samples = data->training();
  for (std::int64_t i = 0; i < samples->size(); ++i) {
    float input[2], z[1];
    samples->read(i, nullptr, input, z);
    EXPECT_NEAR(fit.value(static_cast<double>(z[0]), 0), parts.targets[static_cast<std::size_t>(i)], 1e-6);
  }
}

TEST_F(DatasetFileTest, ScaleIsOfBytes) {
  Parts parts;
  parts.input_type = H5T_STD_U8LE;
  parts.scale = 0.5;
  make(parts);
  DatasetSettings settings;
  settings.input_scaling = "none";
  const auto data = read(settings);
  data->scale(data->fit());
  float input[2], target[1];
  data->training()->read(3, nullptr, input, target);
  EXPECT_EQ(input[0], static_cast<float>(parts.inputs[6] / 2));
  EXPECT_EQ(target[0], 0.0F);
  expect_refused([](Parts& p) { p.scale = 0.5; },
                 {"/inputs", "scale is 0.5", "only u8", "floats of 4 bytes"});
}

TEST_F(DatasetFileTest, ImagesAreFlippedAtRandomAndOnlyImages) {
  {
    DataFileMaker(path("d.h5"))
        .add("inputs", H5T_IEEE_F32LE, {60, 2, 2, 3}, noise(60 * 12, 5))
        .add("targets", H5T_IEEE_F32LE, {60}, noise(60, 6));
  }
  DatasetSettings settings;
  settings.augmentation.flips = true;
  const auto data = read(settings);
  EXPECT_TRUE(data->augments());
  data->scale(data->fit());
  const std::unique_ptr<Dataset> training = data->training();
  int flipped = 0;
  for (std::int64_t i = 0; i < training->size(); ++i) {
    std::vector<float> plain(12), seen(12), target(1);
    training->read(i, nullptr, plain, target);
    const Rng rng(1, Purpose::kAugmentation, static_cast<std::uint64_t>(i));
    training->read(i, &rng, seen, target);
    std::vector<float> mirrored = plain;
    for (std::size_t line = 0; line < 12; line += 3) std::swap(mirrored[line], mirrored[line + 2]);
    EXPECT_TRUE(seen == plain || seen == mirrored);
    flipped += seen == mirrored ? 1 : 0;
  }
  EXPECT_GT(flipped, 12);
  EXPECT_LT(flipped, 36);
  make({});
  expect_message([&] { read(settings); },
                 {"d.h5, /inputs", "data.flips", "[channels, height, width]", "[2]"});
}

TEST_F(DatasetFileTest, TheTaskKnowsItsFiles) {
  const std::unique_ptr<Task> task = make_task("dataset");
  make({});
  EXPECT_TRUE(task->recognises(path("d.h5")));
  EXPECT_EQ(task_of_file(path("d.h5")), "dataset");
  EXPECT_FALSE(task->recognises(path("missing.h5")));
  put_bytes(path("text.h5"), std::string("x y z\n1 2 3\n"));
  EXPECT_FALSE(task->recognises(path("text.h5")));
  EXPECT_TRUE(task->recognises(folder_));  // a folder can only be one of images
  EXPECT_EQ(task->settings().back().key, "train.split_seed");
  EXPECT_EQ(task->shape(task->neutral(path("d.h5"))).outputs, 3);
  expect_message([&] { task->neutral({}); }, {"task=dataset", "--data"});
  expect_message([&] { task->check_fitted({}, "last.h5"); }, {"last.h5", "/transform/input_shape"});
  EXPECT_GT(usable_memory(), std::int64_t{1} << 26);
}

}  // namespace
}  // namespace umbra
