// The losses of classes against numbers of PyTorch 2.15 (torch.nn.functional.cross_entropy in 64 bits), and which samples
// are in which part of a data set.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "engine/train/loader.h"
#include "models/tasks/dataset/dataset_task.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

struct Itself : Module {
  Var forward(Pass&, const Var& x) override { return x; }
};

struct Outcome {
  double loss;
  std::vector<double> gradient;
};

// The loss of four samples of three classes, with loss.mixup or without, and its gradient.
Outcome outcome_of(const DatasetTask& task, const std::vector<double>& class_weights) {
  const std::vector<double> logits{0.5, -1.25, 2, 1.5, 0.25, -0.75, -2, 0.125, 0.375, 0, 3, -1};
  const std::vector<double> shares{0.1, 0.2, 0.7, 0.625, 0, 0.375, 0, 1, 0, 0.3, 0.3, 0.4};
  DatasetFit fit;
  fit.input_shape = {3};
  fit.classes = 3;
  fit.input_mean.assign(3, 0.0), fit.input_scale.assign(3, 1.0);
  fit.class_weights = class_weights;
  const Registry registry = make_registry();
  Context context(registry, {});
  Itself network;
  const Fitted fitted = to_map(fit);
  const Objective objective = task.objective(context, network, fitted);
  const Tensor input = allocate_tensor({}, {4, 3}, DType::kF32);
  from_host(logits, input, context.stream);
  const bool of_shares = task.target_dtype(fitted) == DType::kF32;
  const Tensor target = allocate_tensor({}, of_shares ? Shape{4, 3} : Shape{4}, task.target_dtype(fitted));
  from_host(of_shares ? shares : std::vector<double>{2, 0, 1, 1}, target, context.stream);
  Tape tape(context);
  Pass pass{context, &tape};
  const Var x = constant(input);
  x->needs_grad = true;
  const Var loss = objective.loss(pass, objective.predict(pass, x), target);
  tape.backward(loss);
  return {to_host(loss->value, context.stream).at(0), to_host(x->grad, context.stream)};
}

void expect_near(const std::vector<double>& numbers, const std::vector<double>& wanted) {
  ASSERT_EQ(numbers.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(numbers[i], wanted[i], 2e-7) << i;
}

TEST(DatasetLoss, OfSharesIsThatOfPyTorch) {
  DatasetTask task;
  task.of.mixup = 0.2;
  const Outcome plain = outcome_of(task, {});
  EXPECT_NEAR(plain.loss, 1.4124592975291146, 2e-6);
  expect_near(plain.gradient, {0.019205045527, -0.042318314918, 0.023113269392, 0.023360085288,
                               0.051459150999, -0.074819236287, 0.012423032682, -0.145983220860,
                               0.133560188178, -0.063346844356, 0.159059887969, -0.095713043614});
  const Outcome weighted = outcome_of(task, {0.5, 1.25, 2});
  EXPECT_NEAR(weighted.loss, 2.03880726463986, 2e-6);
  expect_near(weighted.gradient, {0.062648577396, -0.049441135361, -0.013207442034, 0.112710715618,
                                  0.054675347937, -0.167386063555, 0.015528790853, -0.182479026075,
                                  0.166950235222, -0.022059568771, 0.216379351559, -0.194319782788});
}

TEST(DatasetLoss, OfLabelsIsThatOfPyTorch) {
  DatasetTask task;
  EXPECT_NEAR(outcome_of(task, {}).loss, 0.37652179752911447, 1e-6);
  EXPECT_NEAR(outcome_of(task, {0.5, 1.25, 2}).loss, 0.36181420358333577, 1e-6);
  task.of.label_smoothing = 0.1;
  EXPECT_NEAR(outcome_of(task, {}).loss, 0.5192301308624478, 1e-6);
  EXPECT_NEAR(outcome_of(task, {0.5, 1.25, 2}).loss, 0.502868296311247, 1e-6);
}

// 40 images of 1 x 2 x 2 pixels of three classes: 24, 12 and 4 samples, all sides of /split.
class DatasetParts : public FileTest {
 protected:
  void SetUp() override {
    std::vector<double> inputs, split;
    for (int i = 0; i < 40; ++i) {
      for (int k = 0; k < 4; ++k) inputs.push_back((37 * i + 11 * k) % 101);
      labels_.push_back(i % 10 == 9 ? 2 : i % 10 % 3 == 2 ? 1 : 0);
      split.push_back(i < 26 ? 0 : i < 34 ? 1 : 2);
    }
    DataFileMaker maker(path("d.h5"));
    maker.add("inputs", H5T_IEEE_F32LE, {40, 1, 2, 2}, inputs);
    maker.add("targets", H5T_STD_I64LE, {40}, labels_);
    maker.add("split", H5T_STD_I64LE, {40}, split);
  }
  std::unique_ptr<DatasetData> read(const DatasetSettings& settings) {
    settings_ = settings;
    return std::make_unique<DatasetData>(path("d.h5"), settings_);
  }
  std::int64_t of_class(const std::vector<std::int64_t>& rows, double label) const {
    return std::count_if(rows.begin(), rows.end(),
                         [&](std::int64_t row) { return labels_[static_cast<std::size_t>(row)] == label; });
  }

  std::vector<double> labels_;
  DatasetSettings settings_;  // must outlive the result of read()
};

TEST_F(DatasetParts, BalancedWeightsAreInverseToTheNumbersOfTrainingSamples) {
  DatasetSettings settings;
  settings.class_weights = "balanced";
  const auto data = read(settings);
  const std::vector<std::int64_t>& train = data->split().train;
  const std::vector<double> weights = data->fit().at("class_weights");
  ASSERT_EQ(weights.size(), 3U);
  for (std::size_t k = 0; k < 3; ++k)  // n / (K n_k), as in scikit-learn
    EXPECT_DOUBLE_EQ(weights[k], 26.0 / (3.0 * static_cast<double>(of_class(train, static_cast<double>(k)))));
}

// Every training sample validates in one fold, no other sample does, and each class is in every fold.
TEST_F(DatasetParts, InnerFoldsDivideTheTrainingSamplesByClass) {
  DatasetSettings settings;
  const auto whole = read(settings);
  const std::vector<std::int64_t> outer = whole->split().train;
  settings.inner_folds = 2;
  std::vector<std::int64_t> validated;
  for (settings.inner_fold = 0; settings.inner_fold < 2; ++settings.inner_fold) {
    const auto data = read(settings);
    const SampleSplit& inner = data->split();
    EXPECT_EQ(inner.validation.size(), 13U);
    std::vector<std::int64_t> both;
    std::set_union(inner.train.begin(), inner.train.end(), inner.validation.begin(), inner.validation.end(),
                   std::back_inserter(both));
    EXPECT_EQ(both, outer);
    EXPECT_EQ(both.size(), inner.train.size() + inner.validation.size());
    EXPECT_EQ(of_class(inner.validation, 2), 1);
    EXPECT_NEAR(static_cast<double>(of_class(inner.validation, 1)),
                static_cast<double>(of_class(outer, 1)) / 2, 0.5);
    EXPECT_EQ(rows_of(data->parts(), SamplePart::kTest), (std::vector<std::int64_t>{34, 35, 36, 37, 38, 39}));
    EXPECT_EQ(rows_of(data->parts(), SamplePart::kOutside), whole->split().validation);
    EXPECT_EQ(read(settings)->split().validation, inner.validation);
    validated.insert(validated.end(), inner.validation.begin(), inner.validation.end());
  }
  std::sort(validated.begin(), validated.end());
  EXPECT_EQ(validated, outer);
  settings.inner_fold = 0, settings.split_seed = 2;
  const auto other = read(settings);
  settings.split_seed = 1;
  EXPECT_NE(other->split().validation, read(settings)->split().validation);
}

TEST_F(DatasetParts, InnerFoldsThatDoNotFitAreRefused) {
  DatasetTask task;
  task.of.inner_fold = 1;
  expect_message([&] { task.check(); }, {"data.inner_fold=1 needs data.inner_folds"});
  task.of.inner_folds = 1, task.of.inner_fold = 0;
  expect_message([&] { task.check(); }, {"data.inner_folds=1", "2 parts or more"});
  DatasetSettings settings;
  settings.inner_folds = 27;
  expect_message([&] { read(settings); }, {"d.h5", "data.inner_folds=27", "only 26 samples"});
}

TEST_F(DatasetParts, NamesOfAnotherNumberAreNotThoseOfTheSamples) {
  for (const std::vector<std::string>& names : {std::vector<std::string>{"a", "b"}, {"a", "b", "c"}}) {
    Hdf5File out = Hdf5File::create(path("f.h5"));
    out.write<double>("inputs", std::vector<double>{1, 2, 3, 4}, {2, 2});
    out.write_texts("files", names);
    out.commit();
    EXPECT_EQ(DataFile(path("f.h5")).files(), names.size() == 2 ? names : std::vector<std::string>());
  }
}

// Flips, mixup and all that change the samples to train on, but never those to validate on.
TEST_F(DatasetParts, ValidationIsNotAugmented) {
  DatasetSettings settings;
  settings.label_smoothing = 0.3;
  settings.mixup = 0.5;
  settings.augmentation.flips = settings.augmentation.turns = true;
  const auto data = read(settings);
  ASSERT_TRUE(data->augments());
  data->scale(data->fit());
  const DatasetFit fit = dataset_fit(data->fit(), "");
  const std::unique_ptr<Dataset> validation = data->validation();
  const std::vector<std::int64_t>& rows = data->split().validation;
  const Loader loader(*validation, {static_cast<std::int64_t>(rows.size()), 1, false, false, false});
  const Registry registry = make_registry();
  Context context(registry, {});
  const Batch batch = loader.load(context, 3);
  const std::vector<double> input = to_host(batch.input, context.stream),
                            target = to_host(batch.target, context.stream);
  const std::unique_ptr<InputRows> inputs = DataFile(path("d.h5")).inputs("on");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> numbers(4);
    inputs->read(rows[i], numbers);
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_EQ(input[4 * i + k], static_cast<float>((numbers[k] - fit.input_mean[0]) / fit.input_scale[0]));
    for (std::size_t k = 0; k < 3; ++k)  // smoothed as PyTorch's validation loss with label_smoothing
      EXPECT_FLOAT_EQ(static_cast<float>(target[3 * i + k]),
                      static_cast<double>(k) == labels_[static_cast<std::size_t>(rows[i])] ? 0.8F : 0.1F);
  }
}

}  // namespace
}  // namespace umbra
