// The SMF task: from the halos of a sub-box to the stellar mass function phi of its galaxies.
//
//   catalog -> sub-boxes -> inputs times input_scale -> network -> times label_scale, plus label_shift -> phi, or
//   with loss.link=log the logarithm of phi -> chi^2
//
// Predictions and chi^2 are always in phi, whatever label scaling the network is trained with.
#pragma once

#include "models/tasks/smf/settings.h"
#include "models/tasks/smf/transform.h"
#include "models/tasks/task.h"

namespace umbra {

/// The task `smf`.
class SmfTask final : public Task {
 public:
  static constexpr std::string_view kName = "smf";  ///< the name in tasks.def
  std::string_view name() const override { return kName; }
  std::string_view meaning() const override {
    return "the stellar mass function of the sub-boxes of a catalog of halos";
  }
  Words words() const override { return {"sub-boxes", "boxes", "catalog", "sub-boxes"}; }
  std::string metric(const Fitted&) const override { return "chi2"; }
  std::vector<Setting> settings() override { return of.bind(); }
  void check() const override { of.check(); }
  std::unique_ptr<Task> clone() const override { return std::make_unique<SmfTask>(*this); }
  std::string_view default_model() const override { return "um_resnet"; }
  void do_not_augment() override { of.symmetries = of.shifts = false; }
  /// False: the task is the default, because it is the first in tasks.def.
  bool recognises(const std::filesystem::path&) const override { return false; }
  std::unique_ptr<TrainingData> read(const std::filesystem::path& file, const StageReport&) override;
  void check_fitted(const Fitted& fitted, const std::string& where) const override {
    from_map(fitted, of, where);
  }
  Fitted neutral(const std::filesystem::path&) const override;
  SampleShape shape(const Fitted& fitted) const override;
  Shape target_shape(const Fitted& fitted) const override;
  Objective objective(Context& context, Module& network, const Fitted& fitted) const override;

  SmfSettings of;  ///< the settings
};

/// The settings of a run of this task. Throws Error when `task` is another task.
const SmfSettings& smf_settings(const Task& task);

/// A fingerprint of inputs and labels, taken before scale_inputs(): it identifies the catalog of a run and
/// how it was cut.
std::vector<double> fingerprint(const BoxSet& boxes);

}  // namespace umbra
