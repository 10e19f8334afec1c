#include "tools/evaluate/forest_smf.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "models/forest/distribution.h"
#include "models/forest/predict.h"

namespace umbra {
namespace {

// Turns numbers of galaxies into densities, in place, as smf_label() does.
std::vector<double> densities(std::vector<double> galaxies, const BoxOptions& options) {
  const double volume = options.subbox_size * options.subbox_size * options.subbox_size;  // (Mpc/h)^3
  const double unit = options.per_dex ? volume * options.smf_width : volume;
  for (double& n : galaxies) n /= unit;
  return galaxies;
}

// Counts masses, each in one of `boxes` boxes, in bins: [box][bin].
class Counter {
 public:
  Counter(std::span<const double> edges, std::size_t boxes)
      : edges_(edges), bins_(edges.size() - 1), counts_(boxes * bins_) {}
  void add(std::size_t box, double log_mass, double galaxies = 1) {
    const auto above = std::upper_bound(edges_.begin(), edges_.end(), log_mass);
    if (above == edges_.begin() || above == edges_.end()) return;
    counts_[box * bins_ + static_cast<std::size_t>(above - edges_.begin()) - 1] += galaxies;
  }
  const std::vector<double>& counts() const { return counts_; }

 private:
  std::span<const double> edges_;
  std::size_t bins_;
  std::vector<double> counts_;
};

// The voxel of its cube that contains each halo, x slowest: [row].
std::vector<std::int64_t> voxels_of(const ForestHalos& halos, const Catalog& catalog, const BoxSet& boxes) {
  const std::int64_t cells = std::int64_t{boxes.per_side} * boxes.options.voxels;
  const double scale = static_cast<double>(cells) / catalog.box_size;
  std::vector<std::int64_t> voxel(halos.row.size(), 0);
  for (const char* axis : {"x", "y", "z"}) {
    const auto position = catalog.column(axis);
    for (std::size_t i = 0; i < voxel.size(); ++i) {
      const auto cell = static_cast<std::int64_t>(position[static_cast<std::size_t>(halos.row[i])] * scale);
      voxel[i] = voxel[i] * cells + std::clamp<std::int64_t>(cell, 0, cells - 1);
    }
  }
  return voxel;
}

// Counts the mean predictions of the halos of each voxel. place [row]: the box, of `count`.
std::vector<double> count_cell_means(const std::vector<double>& predicted,
                                     const std::vector<std::size_t>& place,
                                     const std::vector<std::int64_t>& voxel, const std::vector<double>& edges,
                                     std::size_t count) {
  std::vector<std::size_t> order(predicted.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto cell = [&](std::size_t i) { return std::pair(place[i], voxel[i]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return cell(a) < cell(b); });
  Counter counter(edges, count);
  for (std::size_t i = 0; i < order.size();) {
    double sum = 0, halos = 0;
    const std::size_t first = order[i];
    for (; i < order.size() && cell(order[i]) == cell(first); ++i, ++halos) sum += predicted[order[i]];
    counter.add(place[first], sum / halos);
  }
  return counter.counts();
}

// [row]: 1 for halos without a galaxy in the sub-boxes that the forest was fitted on, except those `to_score`.
std::vector<std::uint8_t> without_galaxy(const ForestModel& model, const ForestHalos& halos,
                                         const std::vector<std::uint8_t>& to_score) {
  const std::vector<std::int64_t> boxes =
      model.split.by == ForestSplit::By::kBoxes
          ? split_boxes(halos.boxes, halos.per_cube, model.split.rule).train
          : model.training_boxes;
  std::vector<std::uint8_t> of_box(static_cast<std::size_t>(halos.boxes), 0), chosen(halos.box.size());
  for (const std::int64_t box : boxes) of_box[static_cast<std::size_t>(box)] = 1;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (std::isnan(halos.log_mass[i]) && to_score[i] == 0)
      chosen[i] = of_box[static_cast<std::size_t>(halos.box[i])];
  return chosen;
}

// The masses of the galaxies that the forest was fitted on, and the halos without one in the same sub-boxes.
LeafHistograms leaf_histograms(const ForestModel& model, const ForestHalos& galaxies,
                               const ForestHalos& without, std::vector<double> edges) {
  if (model.target == ForestTarget::kLinear)
    for (double& edge : edges) edge = std::pow(10.0, edge);
  const ForestTable table = galaxies.table(), empty = without.table();
  const std::vector<double> target = galaxies.target(model.target);
  return {model.forest, {table, target, {}, {}}, std::move(edges), &empty};
}

// Expected numbers of galaxies: [box][bin].
std::vector<double> expected_galaxies(const LeafHistograms& leaves, const ForestTable& halos,
                                      const std::vector<std::size_t>& place, std::size_t count) {
  const std::vector<double> p = leaves.probabilities(halos);
  const auto bins = static_cast<std::size_t>(leaves.bins());
  std::vector<double> expected(count * bins, 0);
  for (std::size_t i = 0; i < place.size(); ++i) {
    for (std::size_t b = 0; b < bins; ++b) expected[place[i] * bins + b] += p[i * bins + b];
  }
  return expected;
}

void check(const ForestModel& model, const std::string& where, const BoxSet& boxes,
           const std::vector<std::int64_t>& wanted) {
  require(std::abs(model.subbox_size - boxes.options.subbox_size) <= 1e-9 * model.subbox_size, where,
          ": the forest was fitted on sub-boxes of ", model.subbox_size, " Mpc/h, those to be scored have ",
          boxes.options.subbox_size);
  require(model.boxes == boxes.count, where, ": the forest was fitted on a catalog of ", model.boxes,
          " sub-boxes, this one has ", boxes.count);
  for (const std::int64_t index : wanted) {
    const std::int64_t box = boxes.box[static_cast<std::size_t>(index)];
    require(
        !std::binary_search(model.training_boxes.begin(), model.training_boxes.end(), box), where,
        ": the forest was fitted on galaxies of sub-box ", box,
        ", which is to be scored; fit it on the sub-boxes that the run was trained on (forest fit --run RUN)");
  }
}

}  // namespace

ForestSmf forest_smf(const ForestModel& model, const std::string& where, const Catalog& catalog,
                     const BoxSet& boxes, const std::vector<std::int64_t>& wanted) {
  check(model, where, boxes, wanted);
  const ForestHalos all = halos_for(model, catalog, HaloChoice::kAll);
  const std::vector<std::uint8_t> seen = rows_seen(model, all);
  require(!seen.empty(), where,
          ": the forest was not fitted on this catalog, so it is unknown which halos it has not seen");

  constexpr auto kUnwanted = ~std::size_t{0};
  std::vector<std::size_t> where_wanted(static_cast<std::size_t>(all.boxes), kUnwanted);  // [sub-box]
  for (std::size_t i = 0; i < wanted.size(); ++i)
    where_wanted[static_cast<std::size_t>(boxes.box[static_cast<std::size_t>(wanted[i])])] = i;
  std::vector<std::uint8_t> chosen(all.box.size());
  std::vector<std::size_t> place;  // [chosen row]: position of its sub-box in `wanted`
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::size_t at = where_wanted[static_cast<std::size_t>(all.box[i])];
    chosen[i] = at != kUnwanted ? 1 : 0;
    if (chosen[i] != 0) place.push_back(at);
  }
  const ForestHalos halos = chosen_rows(all, chosen),
                    without = chosen_rows(all, without_galaxy(model, all, chosen));
  const LeafHistograms leaves = leaf_histograms(model, chosen_rows(all, seen), without, boxes.edges);
  const ForestTable table = halos.table();

  const std::vector<double> predicted =
      as_log_mass(ForestPredictor(model.forest).predict(table), model.target);
  std::vector<double> galaxies(predicted.size(), 1);  // expected number in each halo
  if (without.rows() > 0) galaxies = leaves.target_probabilities(table);
  Counter counter(boxes.edges, wanted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) counter.add(place[i], predicted[i], galaxies[i]);
  return {densities(counter.counts(), boxes.options),
          densities(count_cell_means(predicted, place, voxels_of(halos, catalog, boxes), boxes.edges,
                                     wanted.size()),
                    boxes.options),
          densities(expected_galaxies(leaves, table, place, wanted.size()), boxes.options)};
}

}  // namespace umbra
