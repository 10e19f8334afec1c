// Times a whole random forest on synthetic halos: fit including binning, out-of-bag score, prediction of
// unseen rows. Prints one line of JSON per run, as do the peers (bench/peers/forest_peers.py, .R), which read
// the same rows from the file written by --write:
//   build/bench/forest --rows 1600000 --trees 20 --max-depth 10
//   build/bench/forest --rows 1600000 --write halos.bin
// The file contains [8][rows + held out] float32, then the target as float32.
#include "models/forest/forest.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/forest_halos.h"
#include "models/forest/predict.h"

namespace umbra {
namespace {

struct Options {
  std::int64_t rows = 1600000, held_out = 400000, trees = 20, leaf = 4, max_features = 0;
  int depth = 10;
  std::string search = "binned8", write;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double rmse(std::span<const double> target, std::span<const double> prediction) {
  double sum = 0;
  for (std::size_t i = 0; i < target.size(); ++i)
    sum += (target[i] - prediction[i]) * (target[i] - prediction[i]);
  return std::sqrt(sum / static_cast<double>(target.size()));
}

ForestOptions::Search search_of(const std::string& name) {
  for (const auto search :
       {ForestOptions::Search::kBinned8, ForestOptions::Search::kBinned16, ForestOptions::Search::kExact}) {
    if (name == name_of(search)) return search;
  }
  fail("--search: expected binned8, binned16 or exact, not ", name);
}

void run(const Options& o) {
  const Halos halos = draw_halos(o.rows + o.held_out);
  if (!o.write.empty()) {
    std::ofstream out(o.write, std::ios::binary);
    const auto write = [&](const std::vector<float>& v) {
      out.write(reinterpret_cast<const char*>(v.data()),
                static_cast<std::streamsize>(v.size() * sizeof(float)));
    };
    for (const auto& column : halos.columns) write(column);
    write(halos.target);
    require(out.good(), o.write, " could not be written");
    return;
  }
  ForestTable train, fresh;
  const auto rows = static_cast<std::size_t>(o.rows);
  for (std::size_t f = 0; f < kHaloColumns; ++f) {
    const std::span<const float> column(halos.columns[f]);
    train.add(concat("c", f), column.first(rows));
    fresh.add(concat("c", f), column.subspan(rows));
  }
  const std::vector<double> target(halos.target.begin(), halos.target.begin() + o.rows);
  const std::vector<double> truth(halos.target.begin() + o.rows, halos.target.end());
  ForestOptions options;
  options.trees = o.trees;
  options.max_depth = o.depth;
  options.min_samples_leaf = o.leaf;
  options.max_features = o.max_features;
  options.search = search_of(o.search);
  const double start = now();
  const Forest forest = fit_forest({train, target, {}, {}}, options);
  const double fitted = now();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);  // peak of the fit; includes the halos, as for the peers
  OutOfBagRequest oob;
  fit_forest({train, target, {}, {}}, options, &oob);
  const double scored = now();
  const double begin = now();
  const ForestPredictor predictor(forest);  // packs the trees; counted as part of the prediction
  const std::vector<double> prediction = predictor.predict(fresh);
  const double end = now();
  std::size_t nodes = 0;
  for (const ForestTree& tree : forest.trees) nodes += tree.size();
  const nlohmann::json line = {{"program", "umbra " + o.search},
                               {"rows", o.rows},
                               {"trees", o.trees},
                               {"max_depth", o.depth},
                               {"min_samples_leaf", o.leaf},
                               {"threads", omp_get_max_threads()},
                               {"fit_s", fitted - start},
                               {"fit_with_oob_s", scored - fitted},
                               {"predicted_rows", o.held_out},
                               {"predict_s", end - begin},
                               {"nodes", nodes},
                               {"oob_r2", r_squared(target, oob.results[0].prediction)},
                               {"held_out_r2", r_squared(truth, prediction)},
                               {"held_out_rmse", rmse(truth, prediction)},
                               {"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Options o;
  CLI::App app("Times a random forest; prints one line of JSON");
  app.add_option("--rows", o.rows, "rows to fit")->capture_default_str()->check(CLI::Range(1, 1 << 27));
  app.add_option("--held-out", o.held_out, "rows to predict")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 27));
  app.add_option("--trees", o.trees, "trees")->capture_default_str();
  app.add_option("--max-depth", o.depth, "levels; 0: no limit")->capture_default_str();
  app.add_option("--min-samples-leaf", o.leaf, "minimum number of rows in a leaf")->capture_default_str();
  app.add_option("--max-features", o.max_features, "columns tried per node; 0: all")->capture_default_str();
  app.add_option("--search", o.search, "binned8, binned16 or exact")->capture_default_str();
  app.add_option("--write", o.write, "write the rows for the peers instead");
  CLI11_PARSE(app, argc, argv);
  try {
    umbra::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "forest: %s\n", error.what());
    return 1;
  }
  return 0;
}
