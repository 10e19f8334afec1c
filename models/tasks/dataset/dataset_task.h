// The dataset task: from the inputs of any HDF5 file (data_file.h) or from the images of a folder to their classes or
// values.
//
//   classes: the network outputs logits; cross-entropy, with loss.mixup of shares of all classes; the metric is the share
//            of wrong labels
//   values:  the network outputs z, value = z target_scale + target_mean; mean squared error of z; the metric
//            is the mean squared error in units of the values. Only z is stored on the device, so that large
//            values keep their digits.
#pragma once

#include "models/tasks/dataset/data_file.h"
#include "models/tasks/dataset/fitted.h"
#include "models/tasks/dataset/settings.h"
#include "models/tasks/dataset/statistics.h"
#include "models/tasks/task.h"

namespace umbra {

/// The samples of a data file, which stays open while inputs are read from it. In addition to TrainingData
/// it gives access to any rows, and it can be scaled again for several runs on the same file.
class DatasetData final : public TrainingData {
 public:
  /// Reads the whole file once, to check and fingerprint it. `settings` must outlive this object. Throws
  /// Error when the file does not have the expected contents.
  DatasetData(const std::filesystem::path& file, const DatasetSettings& settings,
              const StageReport& progress = {})
      : DatasetData(open_data_file(file, settings, progress), settings) {}

  std::int64_t count() const override { return inputs_->count(); }
  Fitted fit() const override;
  std::vector<double> fingerprint() const override { return fingerprint_; }
  /// May be called again once no dataset returned before is in use. Throws Error when `fitted` has other
  /// shapes.
  void scale(const Fitted& fitted) override;
  void keep(std::int64_t count) override;
  std::vector<Baseline> baselines() const override;
  bool augments() const override { return settings_.augmentation.any() || settings_.mixup > 0; }
  std::vector<std::string> names() const override { return targets_.names; }
  std::unique_ptr<Dataset> training() const override { return samples(split_.train); }
  std::unique_ptr<Dataset> validation() const override { return samples(split_.validation); }

  /// The contents of /targets.
  const Targets& targets() const { return targets_; }
  /// The columns of the table of a folder that were read.
  const ImageColumns& columns() const { return columns_; }
  /// The best constant prediction: the logarithm of each class's share of the training samples [classes],
  /// or the mean values [values].
  std::vector<double> constant_prediction() const;
  /// The name of that prediction in reports.
  std::string constant_name() const;
  /// The channels of the images of a folder; 0 for a file.
  std::int64_t image_channels() const { return is_folder_ ? inputs_->shape()[0] : 0; }
  /// These rows as a Dataset. This object must outlive it.
  std::unique_ptr<Dataset> samples(std::vector<std::int64_t> rows) const;
  /// The part of every sample.
  const std::vector<SamplePart>& parts() const { return parts_; }
  /// Whether a run with these settings has the same split.
  bool splits_as(const DatasetSettings& settings) const;

 private:
  DatasetData(const DataFile& file, const DatasetSettings& settings);
  void describe_samples();
  Moments target_moments() const;
  std::vector<double> balanced_weights() const;

  const DatasetSettings& settings_;  // the task's, which may still turn off augmentation
  std::string name_;
  ImageColumns columns_;
  bool is_folder_, has_split_;  // of images; the file has /split
  Targets targets_;
  std::vector<SamplePart> parts_;
  std::unique_ptr<InputRows> inputs_;
  Moments input_moments_{0};
  std::size_t moments_of_ = 0;       // number of training samples in input_moments_
  std::vector<double> sample_keys_;  // [n] of samples that have names, or none
  std::vector<double> fingerprint_;
  DatasetFit fit_;
};

/// The task `dataset`.
class DatasetTask final : public Task {
 public:
  static constexpr std::string_view kName = "dataset";  ///< the name in tasks.def
  std::string_view name() const override { return kName; }
  std::string_view meaning() const override {
    return "classes or values, from a file with /inputs and /targets or a folder of images";
  }
  Words words() const override { return {"samples", "samples", "data set", "/inputs"}; }
  std::string metric(const Fitted& fitted) const override;
  std::vector<Setting> settings() override { return of.bind(); }
  std::unique_ptr<Task> clone() const override { return std::make_unique<DatasetTask>(*this); }
  std::string_view default_model() const override { return "mlp"; }
  /// resnet18 for a folder, which is one of images.
  std::string_view default_model_for(const std::filesystem::path& data) const override {
    std::error_code problem;
    return std::filesystem::is_directory(data, problem) ? "resnet18" : default_model();
  }
  void do_not_augment() override {
    of.augmentation = {};
    of.mixup = 0;
  }
  void check() const override { of.check(); }
  void keep_files_next_to(const std::filesystem::path& run) override { of.keep_images_next_to(run); }
  void find_files_next_to(const std::filesystem::path& run) override { of.find_images_next_to(run, {}); }
  bool recognises(const std::filesystem::path& file) const override;
  std::unique_ptr<TrainingData> read(const std::filesystem::path& file, const StageReport& progress) override;
  void keep_choices(const TrainingData& data) override;
  void check_fitted(const Fitted& fitted, const std::string& where) const override {
    dataset_fit(fitted, where);
  }
  Fitted neutral(const std::filesystem::path& file) const override;
  SampleShape shape(const Fitted& fitted) const override;
  Shape target_shape(const Fitted& fitted) const override;
  /// Of classes: logits with the mean of the members' probabilities.
  std::vector<double> combined(const std::vector<std::vector<double>>& of_members,
                               const Fitted& fitted) const override;
  DType target_dtype(const Fitted& fitted) const override;
  Objective objective(Context& context, Module& network, const Fitted& fitted) const override;

  DatasetSettings of;  ///< the settings
};

/// The settings of a run of this task. Throws Error when `task` is another task.
const DatasetSettings& dataset_settings(const Task& task);

}  // namespace umbra
