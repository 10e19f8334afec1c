// Ensembles: runs with the same settings and other seeds, in the folders seed-1, seed-2, … of one folder, which
// contains nothing else except the configuration.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/experiment.h"

namespace umbra {

/// The files that train writes into the folder of an ensemble.
inline constexpr const char* kEnsembleFiles[] = {"config.toml"};

/// The folder of a member, counted from 1.
std::filesystem::path member_folder(const std::filesystem::path& ensemble, std::int64_t member);

/// Whether `folder` contains an ensemble, not a run: its configuration and its first member.
bool holds_ensemble(const std::filesystem::path& folder);

/// The folders of the members of an ensemble; of anything else, `run` itself. Throws Error if a member has not been
/// trained to its end.
std::vector<std::string> members_of(const std::string& run);

/// The networks of a run or of the members of an ensemble.
using Networks = std::vector<std::unique_ptr<Experiment>>;
/// Loads them as Experiment::load() does. Throws Error if members were not trained on the same data.
Networks load_networks(const std::string& run, const std::string& device,
                       std::optional<Precision> precision = {}, Epoch epoch = Epoch::kBest);

/// Mean and scatter over the members of numbers [n] that each of them has.
struct MeanAndScatter {
  std::vector<double> mean, scatter;  // scatter: the standard deviation, with count - 1
};
MeanAndScatter mean_and_scatter(const std::vector<std::vector<double>>& of_members);

}  // namespace umbra
