#include "tools/evaluate/ensemble_row.h"

#include "tools/common/ensemble.h"

namespace umbra {

using Json = nlohmann::ordered_json;

void add_members(Json& row, const std::string& name, const Json& members,
                 const std::vector<std::string>& scores) {
  row["seeds"] = {{"name", name}, {"count", members.size()}};
  for (const std::string& score : scores) {
    std::vector<std::vector<double>> means;
    for (const Json& member : members) means.push_back({member[score]["mean"].get<double>()});
    const MeanAndScatter all = mean_and_scatter(means);
    row["seeds"][score] = {{"mean", all.mean[0]}, {"scatter", all.scatter[0]}};
  }
  row["members"] = members;
}

std::string explained_scatter(const Json& result) {
  for (const Json& model : result["models"])
    if (model.contains("seeds")) return "; of seeds: their mean +- their scatter";
  return "";
}

}  // namespace umbra
