#include "models/tasks/smf/smf_task.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "data/boxes/cut.h"
#include "data/catalogs/catalog.h"
#include "engine/base/fingerprint.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/objective.h"
#include "models/tasks/smf/small_models.h"

namespace umbra {
namespace {

class SmfData final : public TrainingData {
 public:
  SmfData(const std::filesystem::path& file, SmfSettings& settings) : settings_(settings) {
    CatalogReport report;
    const Catalog catalog = read_catalog(file, &report);
    require(catalog.has("stellar_mass"), file.string(),
            ": the catalog has no column stellar_mass, so there are no labels to learn from",
            catalog.hint("stellar_mass"));
    constexpr const char* kOption = "data.subbox_size=";
    const SubboxSize chosen = choose_subbox_size(catalog, settings.subbox_size, file.string(), kOption);
    if (!chosen.note.empty()) notes_.push_back(chosen.note);
    settings.subbox_size.number = chosen.size;
    require_several_sub_boxes(catalog, chosen.size, file.string(), kOption);
    for (const std::string& remark : report.remarks()) notes_.push_back(remark);
    boxes_ = make_boxes(catalog, options_for(catalog));
    check(file.string());
    const auto empty = std::count(boxes_.halos.begin(), boxes_.halos.end(), 0);
    if (empty > 0)
      notes_.push_back(concat(empty, " of ", boxes_.count, " sub-boxes hold no halo above the cut"));
    split_ = settings.split(boxes_.count, boxes_.per_cube());
    if (split_.train.size() < kFewestForRidge) notes_.push_back(without_ridge(split_.train.size()));
    summaries_ = summaries_of(boxes_, summary_halos(catalog, boxes_.options), split_.train);
  }

  std::int64_t count() const override { return boxes_.count; }
  Fitted fit() const override { return to_map(fit_transform(boxes_, split_.train, settings_)); }
  std::vector<double> fingerprint() const override { return umbra::fingerprint(boxes_); }
  void scale(const Fitted& fitted) override { scale_inputs(boxes_, from_map(fitted, settings_, "the run")); }
  std::vector<Baseline> baselines() const override;
  bool augments() const override { return !settings_.lists() && (settings_.symmetries || settings_.shifts); }
  std::unique_ptr<Dataset> training() const override {
    return make_dataset(boxes_, split_.train, {settings_.symmetries, settings_.shifts});
  }
  std::unique_ptr<Dataset> validation() const override { return make_dataset(boxes_, split_.validation, {}); }

 private:
  // With the reference relations of the training boxes.
  BoxOptions options_for(const Catalog& catalog) const {
    BoxOptions options = settings_.box_options();
    const BoxCutter cutter(catalog, options);
    if (cutter.needs_references())
      options.references = fit_references(
          catalog, options, settings_.split(cutter.count(), cutter.count() / catalog.boxes).train);
    return options;
  }
  void check(const std::string& file) const {
    require(std::accumulate(boxes_.halos.begin(), boxes_.halos.end(), std::int64_t{0}) > 0, file,
            ": no halo has vpeak >= ", boxes_.options.min_vpeak, " km/s, so there is nothing to learn from");
    require(!boxes_.galaxies.empty(), file,
            ": no galaxy has a stellar mass in the bins, so there is nothing to learn");
  }

  const SmfSettings& settings_;  // the task's, which may still turn off augmentation
  BoxSet boxes_;
  Summaries summaries_;
};

std::vector<Baseline> SmfData::baselines() const {
  std::vector<double> truth;
  const auto bins = static_cast<std::ptrdiff_t>(boxes_.sigma.size());
  for (const std::int64_t box : split_.validation) {
    const auto begin = boxes_.smf.begin() + box * bins;
    truth.insert(truth.end(), begin, begin + bins);
  }
  const std::vector<double> sigma(boxes_.sigma.begin(), boxes_.sigma.end());
  std::vector<Baseline> all;
  for (const SmallModel& model :
       small_models(boxes_, summaries_, split_.train, split_.validation, SmallModels::kFast))
    all.push_back({model.name, chi2_sum(model.predictions, truth, sigma) /
                                   static_cast<double>(split_.validation.size())});
  all.push_back({kPoissonName, poisson_chi2(boxes_, split_.validation)});
  return all;
}

}  // namespace

const SmfSettings& smf_settings(const Task& task) {
  const auto* smf = dynamic_cast<const SmfTask*>(&task);
  require(smf != nullptr, "a run of the task ", SmfTask::kName, " is expected, not one of the task ",
          task.name());
  return smf->of;
}

std::vector<double> fingerprint(const BoxSet& boxes) {
  Fingerprint whole;
  whole.add(boxes.input);
  whole.add(boxes.smf);
  return whole.value();
}

std::unique_ptr<TrainingData> SmfTask::read(const std::filesystem::path& file, const StageReport&) {
  return std::make_unique<SmfData>(file, of);
}

Fitted SmfTask::neutral(const std::filesystem::path&) const {
  return to_map(neutral_transform(of));
}

SampleShape SmfTask::shape(const Fitted& fitted) const {
  if (of.lists()) {
    const Transform transform = from_map(fitted, of, "the run");
    const auto halos = static_cast<std::int64_t>(transform.longest_list[0]),
               once = static_cast<std::int64_t>(of.boxes.list_numbers());
    return {{halos, std::ssize(of.boxes.features) + once + kListColumns},
            (halos + 1) * (of.smf_bins + 1),
            once,
            true,
            transform.background};
  }
  const auto channels = static_cast<std::int64_t>(of.boxes.channels());
  return {{channels, of.voxels, of.voxels, of.voxels},
          of.smf_bins,
          static_cast<std::int64_t>(of.boxes.parameters.size())};
}

Shape SmfTask::target_shape(const Fitted& fitted) const {
  return {of.smf_bins + (of.lists() ? shape(fitted).input[0] + 1 : 0)};
}

Objective SmfTask::objective(Context& context, Module& network, const Fitted& fitted) const {
  return smf_objective(context, network, of, from_map(fitted, of, "the run"));
}

std::unique_ptr<Task> smf_task() {
  return std::make_unique<SmfTask>();
}

}  // namespace umbra
