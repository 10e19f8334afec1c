#include "models/tasks/smf/small_models.h"

#include <chrono>

#include "engine/base/error.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/gaussian_process.h"
#include "models/tasks/smf/poisson_regression.h"

namespace umbra {
namespace {

// The result of `fit`, with its time.
template <class Fit>
SmallModel timed(std::string name, const Fit& fit) {
  const auto start = std::chrono::steady_clock::now();
  SmallModel model = fit();
  model.name = std::move(name);
  model.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return model;
}

SmallModel of_gaussian_process(GaussianProcess process) {
  SmallModel model{{}, std::move(process.predictions), {{"noise", process.noise}}, 0};
  for (std::size_t g = 0; g < process.relevance.size(); ++g)
    model.chosen.emplace_back(concat("relevance_", g + 1), process.relevance[g]);
  return model;
}

}  // namespace

std::vector<SmallModel> small_models(const BoxSet& boxes, const Summaries& summaries,
                                     const std::vector<std::int64_t>& train,
                                     const std::vector<std::int64_t>& wanted, SmallModels which,
                                     const StageReport& progress) {
  std::vector<SmallModel> models{timed(kMeanName, [&] {
    return SmallModel{{}, mean_baseline(boxes, train, wanted), {}, 0};
  })};
  if (train.size() < kFewestForRidge) return models;
  Stage stage(progress, "fitting small models");
  const auto add = [&](const std::string& name, const auto& fit) {
    models.push_back(timed(name, fit));
    stage.add();
  };
  const auto add_ridge = [&](const std::string& name, const Matrix& columns) {
    add(name, [&] {
      RidgeBaseline ridge = ridge_regression(boxes, train, chosen(columns, train), chosen(columns, wanted));
      return SmallModel{{}, std::move(ridge.predictions), {{"penalty", ridge.penalty}}, 0};
    });
  };
  add_ridge(kRidgeName, summaries.histogram);
  for (const Summary& summary : summaries.list) {
    if (which == SmallModels::kAll && summary.name == kParametersSummary)
      add_ridge("ridge on " + summary.name, summary.columns());
  }
  for (const Summary& summary : summaries.list) {
    if (which == SmallModels::kFast && summary.name.starts_with(kFeaturesSummary)) continue;
    add("Poisson regression on " + summary.name, [&] {
      PoissonRegression poisson = poisson_regression(boxes, summary, train, wanted);
      return SmallModel{{}, std::move(poisson.predictions), {{"penalty", poisson.penalty}}, 0};
    });
  }
  for (const Summary& summary : summaries.list) {
    if (which == SmallModels::kFast) continue;
    add("Gaussian process on " + summary.name,
        [&] { return of_gaussian_process(gaussian_process(boxes, summary, train, wanted)); });
  }
  return models;
}

}  // namespace umbra
