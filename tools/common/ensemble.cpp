#include "tools/common/ensemble.h"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace umbra {

namespace fs = std::filesystem;

namespace {

// Whether this is the configuration of an ensemble. Reads one line only: mistakes in the others are reported when
// the file is used.
bool is_of_an_ensemble(const fs::path& config) {
  std::ifstream stream(config);
  for (std::string line; std::getline(stream, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    std::erase(line, ' ');
    if (line.starts_with("seeds=")) return line != "seeds=1";
  }
  return false;
}

}  // namespace

fs::path member_folder(const fs::path& ensemble, std::int64_t member) {
  return ensemble / concat("seed-", member);
}

bool holds_ensemble(const fs::path& folder) {
  std::error_code ignored;
  const auto has = [&](const char* name) { return fs::exists(folder / name, ignored); };
  return !has("last.h5") && !has("best.h5") && fs::is_directory(member_folder(folder, 1), ignored) &&
         is_of_an_ensemble(folder / "config.toml");
}

std::vector<std::string> members_of(const std::string& run) {
  if (!holds_ensemble(run)) return {run};
  RunConfig config;
  config.bind().read_file(fs::path(run) / "config.toml");
  std::vector<std::string> members;
  for (std::int64_t member = 1; member <= config.seeds; ++member) {
    members.push_back(member_folder(run, member).string());
    require(fs::exists(fs::path(members.back()) / "best.safetensors"), run, ": member ", member, " of ",
            config.seeds, " has not been trained to its end; train --resume continues the ensemble");
  }
  return members;
}

Networks load_networks(const std::string& run, const std::string& device, std::optional<Precision> precision,
                       Epoch epoch) {
  Networks networks;
  for (const std::string& member : members_of(run)) {
    networks.push_back(Experiment::load(member, device, precision, epoch));
    require(networks.back()->fitted() == networks.front()->fitted(), member,
            ": this member was not trained on the data of the others");
  }
  return networks;
}

MeanAndScatter mean_and_scatter(const std::vector<std::vector<double>>& of_members) {
  const auto count = static_cast<double>(of_members.size());
  const std::size_t numbers = of_members.front().size();
  MeanAndScatter result{std::vector<double>(numbers, 0.0), std::vector<double>(numbers, 0.0)};
  for (std::size_t i = 0; i < numbers; ++i) {
    double squares = 0;
    for (const std::vector<double>& member : of_members) result.mean[i] += member[i] / count;
    for (const std::vector<double>& member : of_members) squares += std::pow(member[i] - result.mean[i], 2);
    if (count > 1) result.scatter[i] = std::sqrt(squares / (count - 1));
  }
  return result;
}

}  // namespace umbra
