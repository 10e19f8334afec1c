// Times the parts of a random forest (Google Benchmark): drawing rows, growing one tree, predicting
// out-of-bag rows, packing trees and predicting on one thread; searching a grid on all threads. items/s are
// rows per second.
//   build/bench/forest_kernels --whole-grid     only the grid of the paper at full size; takes minutes
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>
#include <string_view>

#include "bench/forest_halos.h"
#include "models/forest/grower.h"
#include "models/forest/predict.h"
#include "models/forest/search.h"

namespace umbra {
namespace {

// Eight columns; the target depends on two of them.
struct Rows {
  explicit Rows(std::int64_t count)
      : columns(8, std::vector<float>(static_cast<std::size_t>(count))), target(columns[0].size()) {
    const Rng rng(1, Purpose::kTest);
    for (std::size_t i = 0; i < target.size(); ++i) {
      for (std::size_t f = 0; f < columns.size(); ++f)
        columns[f][i] = static_cast<float>(rng.uniform(16 * i + f));
      target[i] = std::sin(6 * columns[0][i]) + columns[1][i] + 0.2 * rng.normal(16 * i + 9);
    }
    for (std::size_t f = 0; f < columns.size(); ++f)
      table.add(concat("c", f), std::span<const float>(columns[f]));
  }
  ForestData data() const { return {table, target, {}, {}}; }

  std::vector<std::vector<float>> columns;
  std::vector<double> target;
  ForestTable table;
};

ForestOptions options_of(const benchmark::State& state) {
  ForestOptions o;
  o.max_depth = static_cast<int>(state.range(1));
  o.search = static_cast<ForestOptions::Search>(state.range(2));
  return o;
}

void count_rows(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void draw(benchmark::State& state) {
  std::vector<std::uint8_t> counts(static_cast<std::size_t>(state.range(0)));
  std::int64_t tree = 0;
  for (auto _ : state) draw_rows({}, tree++, {}, counts);
  count_rows(state);
}

void prepare(benchmark::State& state) {
  const Rows rows(state.range(0));
  for (auto _ : state) binned_growth(rows.data(), options_of(state).search);
  count_rows(state);
}

std::unique_ptr<GrowthData> growth_of(const Rows& rows, const ForestOptions& o) {
  return o.search == ForestOptions::Search::kExact ? exact_growth(rows.data())
                                                   : binned_growth(rows.data(), o.search);
}

void grow(benchmark::State& state) {
  const Rows rows(state.range(0));
  const ForestOptions o = options_of(state);
  const auto growth = growth_of(rows, o);
  const auto grower = growth->make_grower(o);
  std::vector<std::uint8_t> counts(rows.target.size());
  draw_rows(o, 0, {}, counts);
  for (auto _ : state) benchmark::DoNotOptimize(grower->grow(0, counts));
  count_rows(state);
}

void out_of_bag(benchmark::State& state) {
  const Rows rows(state.range(0));
  const ForestOptions o = options_of(state);
  const auto growth = growth_of(rows, o);
  const auto grower = growth->make_grower(o);
  std::vector<std::uint8_t> counts(rows.target.size());
  draw_rows(o, 0, {}, counts);
  const ForestTree tree = grower->grow(0, counts);
  std::vector<std::int64_t> sums(counts.size());
  std::vector<std::int32_t> trees(counts.size());
  const std::vector<int> depths{0};
  for (auto _ : state) grower->add_out_of_bag(tree, counts, {}, depths, sums, trees);
  count_rows(state);
}

void predict(benchmark::State& state) {
  const Rows rows(state.range(0));
  ForestOptions o = options_of(state);
  o.trees = 20;
  const ForestPredictor predictor(fit_forest(rows.data(), o));
  for (auto _ : state) benchmark::DoNotOptimize(predictor.predict(rows.table));
  count_rows(state);
}

// Packing of a forest into the form from which it predicts.
void pack(benchmark::State& state) {
  const Rows rows(state.range(0));
  ForestOptions o = options_of(state);
  o.trees = 20;
  const Forest forest = fit_forest(rows.data(), o);
  for (auto _ : state) benchmark::DoNotOptimize(ForestPredictor(forest));
  state.SetItemsProcessed(state.iterations() * o.trees);
}

// The grid of the paper with its 1,000 trees scaled to state.range(1), 5 folds, with or without out-of-bag
// scores.
void search(benchmark::State& state) {
  omp_set_num_threads(omp_get_num_procs());
  const Halos halos = draw_halos(state.range(0));
  ForestTable table;
  for (std::size_t f = 0; f < kHaloColumns; ++f)
    table.add(concat("c", f), std::span<const float>(halos.columns[f]));
  const std::vector<double> target(halos.target.begin(), halos.target.end());
  SearchRequest request;
  for (std::int64_t& trees : request.grid.trees) trees = trees * state.range(1) / 1000;
  request.out_of_bag = state.range(2) != 0;
  for (auto _ : state) benchmark::DoNotOptimize(search_forest({table, target, {}, {}}, request));
  count_rows(state);
  omp_set_num_threads(1);
}

void search_settings(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "trees", "oob"})
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1)
      ->UseRealTime()
      ->MeasureProcessCPUTime();
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "depth", "search"})->Unit(benchmark::kMillisecond);
  for (const std::int64_t rows : {100000, 1600000}) {
    for (const std::int64_t search : {0, 1}) b->Args({rows, 10, search});
  }
  b->Args({100000, 0, 0})->Args({100000, 0, 1})->Args({100000, 10, 2});
}

BENCHMARK(draw)->Arg(100000)->Arg(1600000)->ArgName("rows")->Unit(benchmark::kMillisecond);
BENCHMARK(prepare)
    ->ArgNames({"rows", "depth", "search"})
    ->Args({1600000, 10, 0})
    ->Args({1600000, 10, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(grow)->Apply(sizes);
BENCHMARK(out_of_bag)->Apply(sizes);
// Codes of 8 bits (vectors), of 16, and deep trees.
void forests(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "depth", "search"})->Unit(benchmark::kMillisecond);
  b->Args({100000, 10, 0})->Args({100000, 10, 1})->Args({100000, 0, 1});
}

BENCHMARK(predict)->Apply(forests);
BENCHMARK(pack)->Apply(forests);
BENCHMARK(search)
    ->Apply(search_settings)
    ->Args({200000, 20, 0})
    ->Args({200000, 20, 1})
    ->Args({1600000, 40, 0});

void whole_grid() {
  benchmark::RegisterBenchmark("search", search)
      ->Apply(search_settings)
      ->Args({1600000, 1000, 0})
      ->Args({1600000, 1000, 1});
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  omp_set_num_threads(1);
  if (argc > 1 && std::string_view(argv[1]) == "--whole-grid") {
    benchmark::ClearRegisteredBenchmarks();
    umbra::whole_grid();
    --argc, ++argv;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
