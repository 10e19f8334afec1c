#include "tools/reproduce/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <thread>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/status_line.h"
#include "engine/io/text_reader.h"
#include "engine/io/version.h"
#include "engine/train/peaks.h"
#include "tools/common/json_file.h"
#include "tools/common/process.h"
#include "tools/reproduce/choice.h"
#include "tools/reproduce/order.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// "68.4 ± 6.1 | 2.3 | 43.8": standard error over boxes, scatter of seeds, median.
std::string cells(const Chi2& chi2) {
  const std::optional<double> scatter = chi2.scatter();
  return concat(with_error(chi2.mean(), chi2.standard_error()),
                scatter ? " | " + number_text(*scatter, 3) : " | ", " | ", number_text(chi2.median(), 4));
}

std::string table_1(const Results& results) {
  std::string text =
      "| model | paper | χ², sum over bins | seeds | median | best epoch | minus best baseline | χ² of Eq. 1 | seeds | "
      "median |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  const ResultRow* baseline = results.best(RowKind::kBaseline);
  for (const RowKind kind : {RowKind::kNetwork, RowKind::kForest, RowKind::kBaseline, RowKind::kOracle}) {
    for (const ResultRow& row : results.rows) {
      if (row.kind != kind) continue;
      const Difference by = difference(row.linear, baseline->linear);
      const std::string best = row.best_epoch ? number_text(*row.best_epoch, 4) : "";
      text += concat("| ", row.label, " | ", chi2_of_paper(row) ? number_text(*chi2_of_paper(row), 3) : "",
                     " | ", cells(row.linear), " | ", best, " | ",
                     &row == baseline ? "" : with_error(by.mean, by.error()), " | ", cells(row.logarithmic),
                     " |\n");
    }
  }
  char poisson[32];
  std::snprintf(poisson, sizeof poisson, "%.2f", results.poisson_chi2);
  return concat(
      text, "\nχ² is the mean over ", results.validation_boxes,
      " validation sub-boxes ± its standard error; ",
      "`seeds` is the standard deviation over seeds; a row is the mean over its seeds, not the score of their mean "
      "prediction. Networks are those of their last epoch, which no validation box has chosen; \"best epoch\" is the "
      "χ² of the epochs that are best on the validation boxes themselves, as the paper has it, and therefore too low. "
      "\"χ², sum over bins\" is the authors' code: ((φ − φ true) / σ)², summed over ",
      results.bins, " bins. \"χ² of Eq. 1\" is the paper's: the same in log10 φ, divided by ", results.bins,
      ". \"paper\" is its Table 1 (Nadler & To 2018, §4), which does not state in which of the two. The Poisson "
      "noise of the counts alone has χ² = ",
      poisson, ".\n\n");
}

// "0.4 ± 0.2 below"
std::string above(double difference, double error) {
  return concat(with_error(std::abs(difference), error), difference < 0 ? " below" : " above");
}

std::string floor_text(const Results& results) {
  const ResultRow* network = results.best(RowKind::kNetwork);
  std::string text =
      "No model can score better than the expectation of φ given what it knows, except by chance. Two expectations, "
      "estimated from the training sub-boxes by local regression in log10 Vpeak:\n\n"
      "- E[φ | true halo Vpeak] = 1/V Σ over halos P(galaxy in the bin | Vpeak): of the full catalog.\n"
      "- E[φ | voxel field] = 1/V Σ over occupied voxels E[galaxies in the bin | mean Vpeak of the voxel], and the "
      "mean of galaxies in voxels without a halo. It ignores what neighbouring voxels add, so the true floor may be "
      "lower.\n\n";
  for (const ResultRow& row : results.rows) {
    if (row.kind != RowKind::kOracle) continue;
    const Difference by = difference(network->linear, row.linear);
    char excess[32];
    std::snprintf(excess, sizeof excess, "%.2f", row.excess);
    text += concat("- `", row.label, "`: ", with_error(row.linear.mean(), row.linear.standard_error()),
                   ", of which ", excess, " because it is estimated. The best network, `", network->label,
                   "`, is ", above(by.mean, by.over_boxes), " it",
                   by.mean <= 0                  ? ""
                   : by.mean > 2 * by.over_boxes ? ": not within two paired standard errors"
                                                 : ": within two paired standard errors",
                   ".\n");
  }
  const ResultRow* forest = nullptr;
  for (const ResultRow& row : results.rows)
    if (row.kind == RowKind::kForest && row.way == "distribution per halo" &&
        (forest == nullptr || row.linear.mean() < forest->linear.mean()))
      forest = &row;
  if (forest != nullptr) {
    const Difference by = difference(network->linear, forest->linear);
    text += concat("- The forest asked for a distribution, `", forest->label,
                   "`: ", with_error(forest->linear.mean(), forest->linear.standard_error()),
                   "; the best network is ", above(by.mean, by.error()),
                   " it. The paper's ranking of forest and network depends on how the forest is asked.\n");
  }
  return text + "\n";
}

// Of the grid search for one target.
std::string search_text(const nlohmann::ordered_json& json, const std::string& target) {
  const auto settings = [&](const char* key) {
    const auto& best = json.at(key);
    const std::int64_t depth = best.at("max_depth"), features = best.at("max_features");
    return concat(best.at("trees").get<std::int64_t>(), " trees, ",
                  depth == 0 ? "no limit of depth" : concat("depth ", depth), ", ",
                  best.at("min_samples_leaf").get<std::int64_t>(), " or more galaxies in a leaf, ",
                  features == 0 ? "all columns" : concat(features, " columns"), " at a split");
  };
  double lowest = 1, highest = -1e300;
  for (const auto& score : json.at("scores")) {
    lowest = std::min(lowest, score.at("cv_r2").get<double>());
    highest = std::max(highest, score.at("cv_r2").get<double>());
  }
  char range[64];
  std::snprintf(range, sizeof range, "%.4f to %.4f", lowest, highest);
  return concat("- ", target, ": of ", json.at("scores").size(), " settings the best by R² of five folds is ",
                settings("best_cv"), "; out of bag it is ", settings("best_oob"), ". R² of the folds is ",
                range, " over the grid.\n");
}

std::string forest_text(const PaperPlan& plan) {
  std::string text;
  for (const auto& [target, file] : plan.searches)
    text += from_json_file(file, "the result of forest search", [&](const nlohmann::ordered_json& json) {
      return search_text(json, target == "linear" ? "M*" : "log10 M*");
    });
  return text +
         "\nThe paper: \"our qualitative results are not sensitive to the values of these hyperparameters\" (§3.1).\n\n";
}

// What was chosen inside the training boxes, and what was not.
std::string choices_text(const PaperPlan& plan) {
  std::string text =
      "What was chosen on which sub-boxes: networks are those of their last epoch, and the forests' settings have the "
      "best R² of folds of the training sub-boxes. The settings of \"our recipe\" are fixed; they were found on the "
      "mock universe of seed 1, those of `um_halos` with its validation sub-boxes in view.";
  for (const PaperChoice& choice : plan.choices) {
    const std::vector<double> chi2 = chi2_of_choices(choice.file, choice.settings.size(), choice.row);
    text += concat(
        " `", choice.row, "` has `", best_choice(choice.settings, chi2),
        "`, which scores best for one seed on a fifth of the training sub-boxes, after training on the rest "
        "of them (χ²: ");
    for (std::size_t i = 0; i < chi2.size(); ++i)
      text += concat(i > 0 ? "; " : "", choice.settings[i], " ", number_text(chi2[i], 4));
    text += "); no validation sub-box took part.";
  }
  return text + "\n\n";
}

std::string parts_text(const Runner& runner) {
  std::string text = "| part | state | time | peak memory, MB |\n| --- | --- | ---: | ---: |\n", commands;
  double seconds = 0;
  std::int64_t memory = 0;
  std::set<std::string> versions;
  for (const Part& part : runner.parts()) {
    const PartRecord* record = runner.record(part.name);
    if (record == nullptr) continue;
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%.1f s | %.0f", record->seconds,
                  static_cast<double>(record->peak_memory) / 1e6);
    text +=
        concat("| ", part.name, ": ", record->title, " | ", name_of(record->state), " | ", numbers, " |\n");
    if (!part.make) commands += record->command + "\n";
    seconds += record->seconds;
    memory = std::max(memory, record->peak_memory);
    versions.insert(record->version);
  }
  std::string made;
  for (const std::string& one : versions) made += (made.empty() ? "" : ", ") + one;
  char total[128];
  std::snprintf(total, sizeof total, "%s together, peak memory %.0f MB", clock_text(seconds).c_str(),
                static_cast<double>(memory) / 1e6);
  return concat("umbra ", made, " on ", cpu_name(), ", ", std::thread::hardware_concurrency(),
                " threads: ", total, ".\n\n", text, "\nThe commands, as they were called:\n\n```bash\n",
                commands, "```\n\n");
}

std::string figures_text(const PaperPlan& plan, const Places& places) {
  std::string text;
  for (const PaperFigure& figure : plan.figures) {
    const std::string file = "figures/" + figure.name;
    if (!fs::exists(places.in_out(file + ".png"))) continue;
    text +=
        concat("![", figure.caption, "](", file, ".png)\n\n", figure.caption, " [PDF](", file, ".pdf)\n\n");
  }
  return text.empty() ? "No figure was made.\n\n" : text;
}

std::string report_text(const PaperPlan& plan, const Places& places, const Runner& runner) {
  const Results results = read_results(plan);
  std::string text = concat(
      "# Nadler & To (2018), reproduced\n\nCatalog: `", plan.data, "`, ", results.source, ". ",
      results.training_boxes, " sub-boxes to train on, ", results.validation_boxes, " to validate on.\n\n",
      "## Who wins\n\nThe best of each kind by χ², summed over bins, on these validation sub-boxes: a network that "
      "is the best of ",
      std::count_if(results.rows.begin(), results.rows.end(),
                    [](const ResultRow& row) { return row.kind == RowKind::kNetwork; }),
      " looks a little better than it is.\n\n", first_table(results), "## Table 1\n\n", table_1(results),
      choices_text(plan), "## The order of Table 1\n\n",
      "The paper: RF 272 > ResNet 135 (N = 20) > 93 (N = 100) ≥ 84 (N = 200). The forest is the one of its code: of ",
      "M*, the mean per voxel. A step comes out if it is larger than two standard errors (over sub-boxes, paired, and ",
      "over seeds, together); the last one also if it is smaller than that.\n\n",
      order_text(results, "paper", "the paper's recipe"), order_text(results, "um_resnet", "our recipe"),
      "## The floor\n\n", floor_text(results), "## The forest\n\n", forest_text(plan), "## Figures\n\n",
      figures_text(plan, places), "## Differences from the paper, and what it leaves open\n\n",
      read_text_file(places.in_source("tools/reproduce/differences.md")), "\n## What was run\n\n",
      parts_text(runner));
  if (!runner.lost().empty()) {
    text += "## What is missing\n\n";
    for (const std::string& lost : runner.lost()) text += "- " + lost + "\n";
  }
  return text;
}

// Why there is no HTML, or nothing.
std::string make_html(const Places& places) {
  AtomicFile html(places.out / "report.html");
  const std::string style =
      "<style>\n" + read_text_file(places.in_source("tools/reproduce/report.css")) + "</style>\n";
  const std::string header = places.in_out("logs/report-style.html");
  write_text_file(header, style);
  const Ended ended = run_quietly({"pandoc", "--from", "gfm", "--to", "html5", "--standalone", "--metadata",
                                   "pagetitle=Nadler & To (2018), reproduced", "--include-in-header", header,
                                   "--no-highlight", "--columns",
                                   "100000",  // wide lines of a table would give its columns widths
                                   "--output", html.temporary().string(), places.in_out("report.md")});
  if (ended.status == 127) return "without pandoc there is no report.html: apt install pandoc";
  if (ended.status != 0) return concat("there is no report.html: pandoc: ", ended.output);
  html.commit();
  return "";
}

}  // namespace

std::string write_report(const PaperPlan& plan, const Places& places, const Runner& runner) {
  write_text_file(places.in_out("report.md"), report_text(plan, places, runner));
  const std::string lost = make_html(places);
  return concat("wrote ", places.in_out("report.md"), lost.empty() ? " and report.html" : "; " + lost, "\n");
}

}  // namespace umbra
