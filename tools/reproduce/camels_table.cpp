#include "tools/reproduce/camels_table.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "engine/base/error.h"
#include "engine/io/format_version.h"
#include "tools/common/ensemble.h"
#include "tools/common/json_file.h"
#include "tools/reproduce/pages.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// The baselines of the README: the mean, the paper's forest in its best way, and the best on the halos and on the parameters.
constexpr const char* kInFront[] = {"mean SMF", "forest, distribution per halo",
                                    "Gaussian process on the histogram of the input",
                                    "Gaussian process on the parameters"};

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  std::string result = text;
  if (result.starts_with('-')) result.replace(0, 1, "−");
  return result;
}

std::string mean_and_error(const Json& of, const char* sign = "") {
  const std::string format = std::string("%") + sign + ".1f";
  return number(format.c_str(), of.at("mean").get<double>()) + " ± " +
         number("%.1f", of.at("standard_error").get<double>());
}

std::string seconds(double value) {
  return number(value < 9.95 ? "%.1f" : "%.0f", value);
}

// Which row a result of PyTorch belongs to.
std::string row_of_peer(const Json& peer) {
  if (peer.contains("row")) return peer.at("row").get<std::string>();
  if (peer.value("network", "") == "halos")
    return peer.at("parameters").get<bool>() ? "halos_seven"
           : peer.at("columns") == "all"     ? "halos_all"
                                             : "halos";
  if (peer.at("protocol") == "paper") return "paper";
  return peer.at("folds").at(0).at("epochs").size() == 60 ? "default" : "longer";
}

// What PyTorch made of a row.
struct Peer {
  std::vector<std::vector<double>> chi2;  // [seed][1]
  double seconds = 0, trainings = 0;      // of all trainings; their number
  bool of_its_own = false;                // not umbra's network and features, but some that are like them
};

Peer peer_of(const Json& row, const std::vector<Json>& pytorch) {
  Peer found;
  for (const Json& peer : pytorch) {
    if (row_of_peer(peer) != row.at("row")) continue;
    found.of_its_own = found.of_its_own || peer.value("network", "") == "halos";
    const auto add = [&](double score, double time, double count) {
      found.chi2.push_back({score});
      found.seconds += time;
      found.trainings += count;
    };
    if (peer.contains("final_chi2")) {
      add(peer.at("final_chi2").get<double>(), peer.at("train_seconds").get<double>(),
          static_cast<double>(peer.at("folds").size()));
      continue;
    }
    for (const Json& seed : peer.at("seeds")) {
      const auto times = seed.at("train_seconds_of_fold").get<std::vector<double>>();
      add(seed.at("chi2").get<double>(), std::accumulate(times.begin(), times.end(), 0.0),
          static_cast<double>(times.size()));
    }
  }
  return found;
}

// chi^2 averaged over the seeds, their number, and the seconds of a training.
std::string cells_of(const Peer& peer) {
  if (peer.chi2.empty()) return " | | | |";
  return concat(" | ", number("%.1f", mean_and_scatter(peer.chi2).mean[0]), peer.of_its_own ? "†" : "", " | ",
                peer.chi2.size(), " | ", seconds(peer.seconds / peer.trainings), " |");
}

// How many networks or forests a row is the mean of; nothing for a baseline without seeds.
std::string count_of_seeds(const Json& row) {
  const Json& chi2 = row.at("chi2");
  if (chi2.contains("of_seed")) return std::to_string(chi2.at("of_seed").size());
  return row.at("group") == "baseline" ? "" : "1";
}

// Networks have a column for the scatter of their seeds; of a baseline the number is said.
std::string title_of(const Json& row) {
  const bool has_seeds = row.at("group") == "baseline" && row.at("chi2").contains("of_seed");
  return row.at("title").get<std::string>() +
         (has_seeds ? concat(", ", row.at("chi2").at("of_seed").size(), " seeds") : "");
}

// "−4.1 ± 0.8"
std::string minus_control(const Json& row) {
  return row.contains("minus_control") ? mean_and_error(row.at("minus_control").at("chi2"), "+") : "";
}

std::string control_of(const Json& row, const Json& rows) {
  if (!row.contains("minus_control")) return "";
  const std::string name = row.at("minus_control").at("control").get<std::string>();
  for (const Json& other : rows)
    if (other.at("row") == name && other.at("group") != "baseline") return "`" + name + "`";
  return name;
}

std::string seeds_of(const Json& row) {
  return row.at("chi2").contains("scatter") ? number("%.1f", row.at("chi2").at("scatter").get<double>()) : "";
}

std::string front(const Json& rows, const std::vector<Json>& pytorch) {
  const bool peers = !pytorch.empty();
  std::string text = concat("| model | χ² | median | seeds | s |", peers ? " PyTorch | seeds | s |" : "",
                            "\n| --- | --- | --- | --- | --- |", peers ? " --- | --- | --- |" : "", "\n");
  bool same = false, others = false;
  for (const Json& row : rows) {
    const bool short_list =
        row.at("group") == "baseline" &&
        std::find(std::begin(kInFront), std::end(kInFront), row.at("row")) == std::end(kInFront);
    if (row.at("group") == "change" || short_list) continue;
    const Peer peer = peer_of(row, pytorch);
    same = same || (!peer.chi2.empty() && !peer.of_its_own);
    others = others || peer.of_its_own;
    text += concat("| ", row.at("title").get<std::string>(), " | ", mean_and_error(row.at("chi2")), " | ",
                   number("%.1f", row.at("chi2").at("median").get<double>()), " | ", count_of_seeds(row),
                   " | ", seconds(row.at("seconds").get<double>()), peers ? cells_of(peer) : " |", "\n");
  }
  if (same && others)
    text +=
        "\nPyTorch trained the same networks on the same folds, except in the rows marked †, where it is a\n"
        "network of halos with a reader and features of its own.\n";
  else if (same)
    text += "\nPyTorch trained the same networks on the same folds.\n";
  else if (others)
    text +=
        "\nPyTorch (†) trained a network of halos with a reader and features of its own, on the same folds.\n";
  return text;
}

// Results of before the baselines were compared have no differences.
std::string baselines(const Json& rows) {
  const bool paired = std::any_of(rows.begin(), rows.end(), [](const Json& row) {
    return row.at("group") == "baseline" && row.contains("minus_control");
  });
  std::string text = concat("| model | mean | median |", paired ? " minus the best |" : "", " s |\n",
                            "| --- | --- | --- | --- |", paired ? " --- |" : "", "\n");
  for (const Json& row : rows)
    if (row.at("group") == "baseline")
      text += "| " + title_of(row) + " | " + mean_and_error(row.at("chi2")) + " | " +
              number("%.1f", row.at("chi2").at("median").get<double>()) + " | " +
              (paired ? minus_control(row) + " | " : "") + seconds(row.at("seconds").get<double>()) + " |\n";
  return text;
}

// One line per network, and one for the mean of the predictions of its seeds.
std::string networks(const Json& rows, const char* group) {
  std::string text =
      "| row | model | mean | scatter of seeds | median | minus control | control | s |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Json& row : rows) {
    if (row.at("group") != group) continue;
    const auto line = [&](const std::string& title, const Json& scores, const std::string& scatter,
                          const std::string& time) {
      text += "| `" + row.at("row").get<std::string>() + "` | " + title + " | " +
              mean_and_error(scores.at("chi2")) + " | " + scatter + " | " +
              number("%.1f", scores.at("chi2").at("median").get<double>()) + " | " + minus_control(scores) +
              " | " + control_of(scores, rows) + " | " + time + " |\n";
    };
    line(title_of(row), row, seeds_of(row), seconds(row.at("seconds").get<double>()));
    if (row.contains("mean_prediction"))
      line("… mean of the predictions of the seeds", row.at("mean_prediction"), "", "");
  }
  return text;
}

}  // namespace

std::string camels_table(const CamelsTables& tables, const std::string& part) {
  const Json& rows = tables.result.at("rows");
  if (part == "front") return front(rows, tables.pytorch);
  if (part == "baselines") return baselines(rows);
  if (part == "networks") return networks(rows, "network");
  if (part == "changes") return networks(rows, "change");
  require(part == "all",
          "the tables of the CAMELS boxes are front, baselines, networks, changes and all, not ", part);
  std::string text = baselines(rows);
  for (const char* group : {"network", "change"})
    if (std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return row.at("group") == group; }))
      text += "\n" + networks(rows, group);
  return text;
}

CamelsTables read_camels_tables(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  // A table of what was read takes every field that is needed.
  CamelsTables tables =
      from_json_file(folder / "camels.json", "the result of reproduce --camels", [](const Json& json) {
        json.at(kFormatVersionName);
        const CamelsTables alone{json, {}};
        camels_table(alone, "all");
        return alone;
      });
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("pytorch")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& peer : files) {
    tables.pytorch.push_back(
        from_json_file(peer, "the result of bench/peers/pytorch_camels.py --folds", [&](const Json& json) {
          camels_table({tables.result, {json}}, "front");
          return json;
        }));
  }
  return tables;
}

std::string with_camels_tables(const CamelsTables& tables, const std::string& page) {
  return with_tables(page, "camels", [&](const std::string& part) { return camels_table(tables, part); });
}

}  // namespace umbra
