#include "tools/predict/prediction.h"

#include <numeric>

#include "engine/base/fingerprint.h"
#include "models/tasks/smf/smf_task.h"

namespace umbra {
namespace {

constexpr std::int64_t kBoxesAtOnce = 32;

// Appends the parts of a group that the predictions keep to `all`.
void keep(BoxSet& group, BoxSet& all) {
  const std::int64_t count = all.count + group.count;
  if (all.count == 0) {
    group.input.clear();
    group.input.shrink_to_fit();
    group.galaxies.clear();
    group.galaxy_begin.clear();
    group.list_begin.clear();
    group.classes.clear();
    group.halos.clear();
    all = std::move(group);
  } else {
    all.smf.insert(all.smf.end(), group.smf.begin(), group.smf.end());
    all.box.insert(all.box.end(), group.box.begin(), group.box.end());
  }
  all.count = count;
}

}  // namespace

Predictions predict_stream(BoxStream& stream, const Networks& networks, const std::string& where,
                           const StageReport& progress) {
  Predictions result;
  Fingerprint catalog;
  const Experiment& first = *networks.front();
  const Transform transform = from_map(first.fitted(), smf_settings(*first.config().task), where);
  Stage stage(progress, "predicting", stream.count() * std::ssize(networks));
  while (std::optional<BoxSet> group = stream.next()) {
    catalog.add(group->input);
    scale_inputs(*group, transform);
    std::vector<std::int64_t> every(static_cast<std::size_t>(group->count));
    std::iota(every.begin(), every.end(), 0);
    const std::unique_ptr<Dataset> data = make_dataset(*group, std::move(every), {});
    const Loader loader(*data, {kBoxesAtOnce, 0, false, false, false});
    std::vector<std::vector<double>> phi;
    for (const std::unique_ptr<Experiment>& network : networks)
      phi.push_back(finite_predictions(network->context(), network->objective(), loader, where, &stage));
    const std::vector<double> mean = first.config().task->combined(phi, first.fitted());
    result.phi.insert(result.phi.end(), mean.begin(), mean.end());
    if (networks.size() > 1) {
      const std::vector<double> scatter = mean_and_scatter(phi).scatter;
      result.scatter.insert(result.scatter.end(), scatter.begin(), scatter.end());
    }
    keep(*group, result.boxes);
  }
  catalog.add(result.boxes.smf);
  result.fingerprint = catalog.value();
  return result;
}

}  // namespace umbra
