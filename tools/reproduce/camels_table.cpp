#include "tools/reproduce/camels_table.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "engine/io/text_reader.h"
#include "tools/common/ensemble.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

// The baselines of the README: the mean, and the best on the halos and on the parameters.
constexpr const char* kInFront[] = {"mean SMF", "Gaussian process on the histogram of the input",
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
  return number(format.c_str(), of["mean"].get<double>()) + " ± " +
         number("%.1f", of["standard_error"].get<double>());
}

std::string seconds(double value) {
  return number(value < 9.95 ? "%.1f" : "%.0f", value);
}

// Which row a result of PyTorch belongs to.
std::string row_of_peer(const Json& peer) {
  if (peer.contains("row")) return peer["row"].get<std::string>();
  if (peer.value("network", "") == "halos")
    return peer["parameters"].get<bool>() ? "halos_seven" : peer["columns"] == "all" ? "halos_all" : "halos";
  if (peer["protocol"] == "paper") return "paper";
  return peer["folds"][0]["epochs"].size() == 60 ? "default" : "longer";
}

// chi^2 and seconds of a training of PyTorch, averaged over its seeds.
std::string peer_cells(const Json& row, const std::vector<Json>& pytorch) {
  std::vector<std::vector<double>> chi2;
  double spent = 0, trainings = 0;
  for (const Json& peer : pytorch) {
    if (row_of_peer(peer) != row["row"]) continue;
    const auto add = [&](double score, double time, double count) {
      chi2.push_back({score});
      spent += time;
      trainings += count;
    };
    if (peer.contains("final_chi2")) {
      add(peer["final_chi2"].get<double>(), peer["train_seconds"].get<double>(),
          static_cast<double>(peer["folds"].size()));
      continue;
    }
    for (const Json& seed : peer["seeds"]) {
      const auto times = seed["train_seconds_of_fold"].get<std::vector<double>>();
      add(seed["chi2"].get<double>(), std::accumulate(times.begin(), times.end(), 0.0),
          static_cast<double>(times.size()));
    }
  }
  if (chi2.empty()) return " | | |";
  return " | " + number("%.1f", mean_and_scatter(chi2).mean[0]) + " | " + seconds(spent / trainings) + " |";
}

std::string title_of(const Json& row) {
  return row["title"].get<std::string>();
}

// "−4.1 ± 0.8"
std::string minus_control(const Json& row) {
  return row.contains("minus_control") ? mean_and_error(row["minus_control"]["chi2"], "+") : "";
}

std::string control_of(const Json& row, const Json& rows) {
  if (!row.contains("minus_control")) return "";
  const std::string name = row["minus_control"]["control"].get<std::string>();
  for (const Json& other : rows)
    if (other["row"] == name && other["group"] != "baseline") return "`" + name + "`";
  return name;
}

std::string seeds_of(const Json& row) {
  return row["chi2"].contains("scatter") ? number("%.1f", row["chi2"]["scatter"].get<double>()) : "";
}

std::string front(const Json& rows, const std::vector<Json>& pytorch) {
  const bool peers = !pytorch.empty();
  std::string text = concat("| model | χ² | median | s |", peers ? " PyTorch | s |" : "",
                            "\n| --- | --- | --- | --- |", peers ? " --- | --- |" : "", "\n");
  for (const Json& row : rows) {
    const bool short_list = row["group"] == "baseline" && std::find(std::begin(kInFront), std::end(kInFront),
                                                                    row["row"]) == std::end(kInFront);
    if (row["group"] == "change" || short_list) continue;
    text += "| " + title_of(row) + " | " + mean_and_error(row["chi2"]) + " | " +
            number("%.1f", row["chi2"]["median"].get<double>()) + " | " +
            seconds(row["seconds"].get<double>()) + (peers ? peer_cells(row, pytorch) : " |") + "\n";
  }
  return peers ? text + "\nPyTorch trained the same networks on the same folds.\n" : text;
}

std::string baselines(const Json& rows) {
  std::string text = "| model | mean | median | s |\n| --- | --- | --- | --- |\n";
  for (const Json& row : rows)
    if (row["group"] == "baseline")
      text += "| " + title_of(row) + " | " + mean_and_error(row["chi2"]) + " | " +
              number("%.1f", row["chi2"]["median"].get<double>()) + " | " +
              seconds(row["seconds"].get<double>()) + " |\n";
  return text;
}

// One line per network, and one for the mean of the predictions of its seeds.
std::string networks(const Json& rows, const char* group) {
  std::string text =
      "| row | model | mean | scatter of seeds | median | minus control | control | s |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Json& row : rows) {
    if (row["group"] != group) continue;
    const auto line = [&](const std::string& title, const Json& scores, const std::string& scatter,
                          const std::string& time) {
      text += "| `" + row["row"].get<std::string>() + "` | " + title + " | " +
              mean_and_error(scores["chi2"]) + " | " + scatter + " | " +
              number("%.1f", scores["chi2"]["median"].get<double>()) + " | " + minus_control(scores) + " | " +
              control_of(scores, rows) + " | " + time + " |\n";
    };
    line(title_of(row), row, seeds_of(row), seconds(row["seconds"].get<double>()));
    if (row.contains("mean_prediction"))
      line("… mean of the predictions of the seeds", row["mean_prediction"], "", "");
  }
  return text;
}

}  // namespace

std::string camels_table(const CamelsTables& tables, const std::string& part) {
  const Json& rows = tables.result["rows"];
  if (part == "front") return front(rows, tables.pytorch);
  if (part == "baselines") return baselines(rows);
  if (part == "networks") return networks(rows, "network");
  if (part == "changes") return networks(rows, "change");
  require(part == "all",
          "the tables of the CAMELS boxes are front, baselines, networks, changes and all, not ", part);
  std::string text = baselines(rows);
  for (const char* group : {"network", "change"})
    if (std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return row["group"] == group; }))
      text += "\n" + networks(rows, group);
  return text;
}

CamelsTables read_camels_tables(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const auto read = [](const fs::path& file) {
    Json json = Json::parse(read_text_file(file), nullptr, false);
    require(json.is_object(), file.string(), ": not JSON");
    return json;
  };
  const fs::path file = folder / "camels.json";
  CamelsTables tables{read(file), {}};
  require(tables.result.contains("rows") && tables.result.contains(kFormatVersionName), file.string(),
          ": the result of reproduce --camels is expected, with rows");
  check_format_version(tables.result[kFormatVersionName].get<std::int64_t>(), file.string());
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("pytorch")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& peer : files) {
    tables.pytorch.push_back(read(peer));
    const Json& json = tables.pytorch.back();
    require((json.contains("final_chi2") && json.contains("folds")) || json.contains("mean_of_predictions"),
            peer.string(), ": the result of bench/peers/pytorch_camels.py --folds is expected");
  }
  return tables;
}

std::string with_camels_tables(const CamelsTables& tables, const std::string& page) {
  const std::string begin = "<!-- camels: ", close = " -->\n", end = "<!-- /camels -->";
  std::string text;
  std::size_t at = 0;
  for (std::size_t found; (found = page.find(begin, at)) != std::string::npos;) {
    const std::size_t name = found + begin.size(), after = page.find(close, name),
                      last = page.find(end, name);
    require(after < last && last != std::string::npos, "a table of the CAMELS boxes has no end '", end, "'");
    text += page.substr(at, after + close.size() - at) + "\n" +
            camels_table(tables, page.substr(name, after - name)) + "\n";
    at = last;
  }
  return text + page.substr(at);
}

}  // namespace umbra
