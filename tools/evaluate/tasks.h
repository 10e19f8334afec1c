// What evaluate does for each task: scores runs and baselines on the validation samples, prints a table and
// writes JSON. There is one function evaluate_NAME for every task of models/tasks/tasks.def.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/stage.h"
#include "tools/common/ensemble.h"

namespace umbra {

struct EvaluateArguments {
  std::string data, out, reference, device = "auto";
  std::string split = "validation";  // of a data set: which of its samples are scored, "validation" or "test"
  std::vector<std::string> runs, forests, pool;
  Epoch epoch = Epoch::kBest;
  bool overwrite = false, oracle = false;
  StageReport progress;
};

/// The options of a model by name: {"channels": 20, …}.
nlohmann::ordered_json options_of(Model& model);
/// Writes --out. JSON must be UTF-8, so invalid bytes in names are written as the replacement character.
void write_json(const std::string& out, const nlohmann::ordered_json& result);

/// chi^2 of networks, forests and small models (models/tasks/smf/small_models.h), and their differences.
void evaluate_smf(const EvaluateArguments& arguments);
/// One result of several, each of a fold (tools/evaluate/pool.h).
void pool_smf(const EvaluateArguments& arguments);
/// Accuracy and cross-entropy of classes; mean squared error and R^2 of values.
void evaluate_dataset(const EvaluateArguments& arguments);

}  // namespace umbra
