// The tables of the CAMELS boxes as Markdown, from the results in bench/results/camels. README.md and pages of docs
// contain what this returns, between the comments "<!-- camels: PART -->" and "<!-- /camels -->"; a test compares.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace umbra {

/// What the tables are made of.
struct CamelsTables {
  nlohmann::ordered_json result;  ///< camels.json of reproduce --camels
  std::vector<nlohmann::ordered_json>
      pytorch;  ///< of bench/peers/pytorch_camels*.py over the same folds, one per file
};

/// Reads camels.json and pytorch*.json of a folder. Throws Error naming a file that is something else.
CamelsTables read_camels_tables(const std::filesystem::path& folder);

/// A part of the table: "front" (README: some baselines, the networks, PyTorch), "baselines", "networks", "changes", or
/// "all", the latter three.
std::string camels_table(const CamelsTables& tables, const std::string& part);

/// A page in which every part of the table is that of `tables`. Throws Error if a part has no end.
std::string with_camels_tables(const CamelsTables& tables, const std::string& page);

}  // namespace umbra
