// Times a random forest as a whole on halos drawn here: fit with its binning, out-of-bag score, prediction of
// rows it has not seen. One line of JSON per run, as the peers print (bench/peers/forest_peers.py, .R), which
// read the same rows from the file that --write makes:
//   build/bench/forest --rows 1600000 --trees 20 --max-depth 10
//   build/bench/forest --rows 1600000 --write halos.bin     [8][rows + held out] float32, then the target,
//   float32
#include "models/forest/forest.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"
#include "models/forest/predict.h"

namespace umbra {
namespace {

constexpr std::size_t kColumns = 8;

struct Options {
  std::int64_t rows = 1600000, held_out = 400000, trees = 20, leaf = 4, max_features = 0;
  int depth = 10;
  std::string search = "binned8", write;
};

struct Halos {
  std::vector<std::vector<float>> columns;
  std::vector<float> target;
};

// Halos as a catalog has them: velocities as V^-3, masses and accretion values that follow them, spin,
// half-mass scale, satellites; log10 M* bends with velocity and scatters by 0.2 dex.
Halos draw_halos(std::int64_t rows) {
  Halos h{std::vector<std::vector<float>>(kColumns, std::vector<float>(static_cast<std::size_t>(rows))),
          std::vector<float>(static_cast<std::size_t>(rows))};
  const Rng rng(1, Purpose::kTest);
  parallel_chunks(rows, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<std::size_t>(i);
      const std::uint64_t draw = 16 * static_cast<std::uint64_t>(i);
      const auto set = [&](std::size_t f, double value) { h.columns[f][row] = static_cast<float>(value); };
      const double v = 2.176 - std::log10(1 - rng.uniform(draw)) / 3;  // log10 Vpeak from 150 km/s
      const double m = 12 + 3 * (v - 2.2) + 0.1 * rng.normal(draw + 1);
      const bool satellite = rng.uniform(draw + 2) < 0.2;
      const double lost = satellite ? 0.15 * rng.uniform(draw + 3) : 0;
      set(0, std::pow(10, v));
      set(1, std::pow(10, v - 0.02 * std::abs(rng.normal(draw + 4))));
      set(2, std::pow(10, m));
      set(3, std::pow(10, m - 0.03 * std::abs(rng.normal(draw + 5))));
      set(4, std::pow(10, m - lost - 0.01 * std::abs(rng.normal(draw + 6))));
      set(5, 0.035 * std::exp(0.5 * rng.normal(draw + 7)));
      set(6, 0.5 + 0.1 * rng.normal(draw + 8));
      set(7, satellite ? 1 : 0);
      const double mean =
          8 + 3.6 / (1 + std::pow(10, 4 * (2.4 - v))) + 0.4 * std::max(0.0, v - 2.6) + (satellite ? 0.1 : 0);
      h.target[row] = static_cast<float>(mean + 0.3 * (h.columns[6][row] - 0.5) + 0.2 * rng.normal(draw + 9));
    }
  });
  return h;
}

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
  fail("--search is binned8, binned16 or exact, not ", name);
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
  for (std::size_t f = 0; f < kColumns; ++f) {
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
  getrusage(RUSAGE_SELF, &usage);  // of the fit; the halos as they are drawn are part of it, as in the peers
  OutOfBagRequest oob;
  fit_forest({train, target, {}, {}}, options, &oob);
  const double scored = now();
  const ForestPredictor predictor(forest);
  const double begin = now();
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
  CLI::App app("times a random forest");
  app.add_option("--rows", o.rows, "rows to fit")->capture_default_str()->check(CLI::Range(1, 1 << 27));
  app.add_option("--held-out", o.held_out, "rows to predict")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 27));
  app.add_option("--trees", o.trees, "trees")->capture_default_str();
  app.add_option("--max-depth", o.depth, "levels; 0: no limit")->capture_default_str();
  app.add_option("--min-samples-leaf", o.leaf, "rows of a leaf")->capture_default_str();
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
