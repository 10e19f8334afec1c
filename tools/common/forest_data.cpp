#include "tools/common/forest_data.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "data/boxes/cut.h"
#include "engine/base/error.h"
#include "engine/base/fingerprint.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

// The sub-box and the row of every halo that passes the cut in vpeak. Uses the same cutter as the network's
// sub-boxes, so that both leave out the same halos.
void place_halos(const Catalog& catalog, double min_vpeak, double subbox_size, ForestHalos& out) {
  BoxOptions options;
  options.min_vpeak = min_vpeak;
  options.subbox_size = subbox_size;
  const BoxCutter cutter(catalog, options);
  std::vector<std::uint64_t> words;
  cutter.cut(catalog, words);
  out.boxes = cutter.count();
  out.per_cube = out.boxes / catalog.boxes;
  const auto vpeak = catalog.column("vpeak");
  std::size_t row = 0;
  for (std::size_t w = 0; w < words.size(); w += cutter.words()) {
    if (!BoxCutter::enters(words[w])) continue;
    while (vpeak[row] < min_vpeak) ++row;
    out.box.push_back(cutter.box_of(words[w]));
    out.row.push_back(static_cast<std::int64_t>(row++));
  }
}

void keep_galaxies(std::span<const double> mass, ForestHalos& halos) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < halos.row.size(); ++i) {
    if (!(mass[static_cast<std::size_t>(halos.row[i])] > 0)) continue;
    halos.row[kept] = halos.row[i];
    halos.box[kept++] = halos.box[i];
  }
  halos.row.resize(kept);
  halos.box.resize(kept);
}

bool catalog_has(const Catalog& catalog, const std::string& feature) {
  return catalog.has(feature == "is_satellite" ? "upid" : feature);
}

void check_feature(const Catalog& catalog, const std::string& feature) {
  for (const char* no : {"x", "y", "z", "stellar_mass", "sfr", "id", "box"})
    require(feature != no, "features: ", no, " is not a halo property that the forest may learn from");
  if (feature != "is_satellite") column_kind(feature);  // an unknown name
  require(catalog_has(catalog, feature), "features: the catalog has no column ",
          feature == "is_satellite" ? "upid, which is_satellite needs" : feature);
}

std::vector<std::string> chosen_features(const Catalog& catalog, const std::vector<std::string>& wanted) {
  std::vector<std::string> features = wanted;
  if (wanted.empty()) {
    std::copy_if(kPaperFeatures.begin(), kPaperFeatures.end(), std::back_inserter(features),
                 [&](const std::string& feature) { return catalog_has(catalog, feature); });
  }
  for (const std::string& feature : features) check_feature(catalog, feature);
  const std::set<std::string> unique(features.begin(), features.end());
  require(unique.size() == features.size(), "features: a column is given twice");
  return features;
}

std::vector<float> column_of(const Catalog& catalog, const std::string& feature,
                             const std::vector<std::int64_t>& rows) {
  std::vector<float> values(rows.size());
  const auto fill = [&](const auto& value_of) {
    parallel_chunks(static_cast<std::int64_t>(rows.size()), kGrain,
                    [&](std::int64_t begin, std::int64_t end) {
                      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                        values[i] = value_of(static_cast<std::size_t>(rows[i]));
                    });
  };
  if (feature == "is_satellite") {
    fill([upid = catalog.integer_column("upid")](std::size_t row) { return upid[row] != -1 ? 1.0F : 0.0F; });
  } else if (feature == "upid") {
    fill([upid = catalog.integer_column("upid")](std::size_t row) { return static_cast<float>(upid[row]); });
  } else {
    fill([column = catalog.column(feature)](std::size_t row) { return static_cast<float>(column[row]); });
  }
  return values;
}

}  // namespace

ForestTarget forest_target(const std::string& name) {
  for (const ForestTarget target : {ForestTarget::kLog10, ForestTarget::kLinear})
    if (name == name_of(target)) return target;
  fail("target: log10 or linear is expected, not ", name);
}

std::string name_of(ForestTarget target) {
  return target == ForestTarget::kLog10 ? "log10" : "linear";
}

ForestSplit::By forest_split(const std::string& name) {
  for (const ForestSplit::By by : {ForestSplit::By::kBoxes, ForestSplit::By::kHalos})
    if (name == name_of(by)) return by;
  fail("split: boxes or halos is expected, not ", name);
}

std::string name_of(ForestSplit::By by) {
  return by == ForestSplit::By::kBoxes ? "boxes" : "halos";
}

ForestTable ForestHalos::table() const {
  ForestTable table;
  for (std::size_t f = 0; f < features.size(); ++f)
    table.add(features[f], std::span<const float>(columns[f]));
  return table;
}

std::vector<double> ForestHalos::target(ForestTarget of) const {
  std::vector<double> values = log_mass;
  if (of == ForestTarget::kLinear)
    for (double& value : values) value = std::pow(10.0, value);
  return values;
}

ForestHalos forest_halos(const Catalog& catalog, const std::vector<std::string>& features, double min_vpeak,
                         double subbox_size, HaloChoice choice) {
  ForestHalos halos;
  halos.features = chosen_features(catalog, features);
  require(static_cast<std::int64_t>(halos.features.size()) <= kMostFeatures,
          "features: ", halos.features.size(), " columns are given, at most ", kMostFeatures,
          " are supported");
  place_halos(catalog, min_vpeak, subbox_size, halos);
  require(halos.rows() > 0, "no halo has vpeak >= ", min_vpeak, " km/s");
  if (catalog.has("stellar_mass")) {
    const auto mass = catalog.column("stellar_mass");
    halos.without_galaxy = std::count_if(halos.row.begin(), halos.row.end(), [&](std::int64_t row) {
      return !(mass[static_cast<std::size_t>(row)] > 0);
    });
    if (choice == HaloChoice::kGalaxies) keep_galaxies(mass, halos);
    require(halos.rows() > 0, "no halo with vpeak >= ", min_vpeak, " km/s has a stellar mass above 0");
    for (const std::int64_t row : halos.row) {
      const double m = mass[static_cast<std::size_t>(row)];
      halos.log_mass.push_back(m > 0 ? std::log10(m) : std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (const std::string& feature : halos.features)
    halos.columns.push_back(column_of(catalog, feature, halos.row));
  return halos;
}

ForestHalos chosen_rows(const ForestHalos& halos, const std::vector<std::uint8_t>& mask) {
  const auto chosen = [&](const auto& all) {
    std::remove_cvref_t<decltype(all)> some;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (mask[i] != 0) some.push_back(all[i]);
    return some;
  };
  ForestHalos out{halos.features,    {},          chosen(halos.log_mass), chosen(halos.box),
                  chosen(halos.row), halos.boxes, halos.per_cube,         halos.without_galaxy};
  for (const std::vector<float>& column : halos.columns) out.columns.push_back(chosen(column));
  return out;
}

std::vector<std::uint8_t> training_rows(const ForestHalos& halos, const ForestSplit& split) {
  require(!halos.log_mass.empty(), "the catalog has no column stellar_mass, so there is nothing to learn");
  const SplitRule& rule = split.rule;
  require(rule.train_fraction > 0 && rule.train_fraction <= 1,
          "train-fraction must be above 0 and at most 1, but it is ", rule.train_fraction);
  std::vector<std::uint8_t> training(halos.log_mass.size(), 0);
  std::vector<std::size_t> galaxies;
  for (std::size_t i = 0; i < halos.log_mass.size(); ++i)
    if (!std::isnan(halos.log_mass[i])) galaxies.push_back(i);
  std::size_t chosen = 0;
  if (split.by == ForestSplit::By::kBoxes) {
    std::vector<std::uint8_t> of_box(static_cast<std::size_t>(halos.boxes), 0);
    for (const std::int64_t box : split_boxes(halos.boxes, halos.per_cube, rule).train)
      of_box[static_cast<std::size_t>(box)] = 1;
    for (const std::size_t i : galaxies)
      chosen += training[i] = of_box[static_cast<std::size_t>(halos.box[i])];
  } else {
    const auto count = static_cast<std::int64_t>(galaxies.size());
    for (const std::int64_t i : split_boxes(count, rule.train_fraction, rule.seed).train)
      chosen += training[galaxies[static_cast<std::size_t>(i)]] = 1;
  }
  require(chosen > 0, "no galaxy is left to train on: ", galaxies.size(), " galaxies in ", halos.boxes,
          " sub-boxes; the requested fraction is ", rule.train_fraction);
  return training;
}

std::vector<int> inner_folds_of_rows(const ForestHalos& halos, const std::vector<std::uint8_t>& training,
                                     const ForestSplit& split, int folds) {
  SplitRule rule;  // that trains on all boxes
  rule.train_fraction = 1;
  rule.seed = split.rule.seed;
  if (split.by == ForestSplit::By::kBoxes && split.rule.inner_folds == 0) {
    rule = split.rule;
  } else if (split.by ==
             ForestSplit::By::kBoxes) {  // the training boxes of an inner fold are divided once more
    const std::vector<std::int64_t> train = split_boxes(halos.boxes, halos.per_cube, split.rule).train;
    for (std::int64_t box = 0; box < halos.boxes; ++box)
      if (!std::binary_search(train.begin(), train.end(), box)) rule.validation.push_back(box);
  }
  rule.inner_folds = folds;
  std::vector<int> of_box(static_cast<std::size_t>(halos.boxes), -1), of_row(training.size(), -1);
  for (int fold = 0; fold < folds; ++fold) {
    rule.inner_fold = fold;
    for (const std::int64_t box : split_boxes(halos.boxes, halos.per_cube, rule).validation)
      of_box[static_cast<std::size_t>(box)] = fold;
  }
  for (std::size_t i = 0; i < of_row.size(); ++i)
    if (training[i] != 0) of_row[i] = of_box[static_cast<std::size_t>(halos.box[i])];
  return of_row;
}

std::vector<double> forest_fingerprint(const ForestHalos& halos, const std::vector<std::uint8_t>& training) {
  Fingerprint whole;
  std::vector<float> chosen;
  for (const std::vector<float>& column : halos.columns) {
    chosen.clear();
    for (std::size_t i = 0; i < column.size(); ++i)
      if (training[i] != 0) chosen.push_back(column[i]);
    whole.add(chosen);
  }
  chosen.clear();
  for (std::size_t i = 0; i < halos.log_mass.size(); ++i) {
    if (training[i] == 0) continue;
    const auto halves = std::bit_cast<std::array<float, 2>>(halos.log_mass[i]);
    chosen.insert(chosen.end(), halves.begin(), halves.end());
  }
  whole.add(chosen);
  return whole.value();
}

std::vector<double> as_log_mass(std::vector<double> prediction, ForestTarget target) {
  // Rounded to fixed point, a mean mass near 0 can become 0 or negative; the minimum is one solar mass.
  if (target == ForestTarget::kLinear)
    for (double& value : prediction) value = std::isnan(value) ? value : std::log10(std::max(value, 1.0));
  return prediction;
}

}  // namespace umbra
