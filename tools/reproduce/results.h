// What `evaluate` measured, as the rows of the paper's Table 1: seeds of a row averaged, scatter of seeds and standard
// errors over boxes apart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/reproduce/paper.h"

namespace umbra {

/// What a row is.
enum class RowKind { kBaseline, kForest, kNetwork, kOracle };
/// "baseline", "forest", "network", "oracle".
std::string name_of(RowKind kind);

/// chi^2 in one convention.
struct Chi2 {
  std::vector<double> of_box;   ///< [validation box], mean over seeds
  std::vector<double> of_seed;  ///< [seed], mean over boxes
  double mean() const;
  /// Of the mean over boxes.
  double standard_error() const;
  double median() const;
  /// Standard deviation over seeds, without a value for a single one.
  std::optional<double> scatter() const;
};

/// A row of the table.
struct ResultRow {
  std::string label;
  RowKind kind;
  std::string recipe;  ///< of a network: PaperNetwork::recipe; of a forest "forest linear" or "forest log10"
  std::int64_t channels = 0;  ///< of a network
  std::string way{};          ///< of a forest: "mean prediction per voxel" and the others of `evaluate`
  double excess = 0;          ///< of an oracle: chi^2 that it has because it is estimated
  /// Of a network: linear chi^2 of the epochs that were chosen on the validation boxes, mean over seeds.
  std::optional<double> best_epoch{};
  Chi2 linear{};       ///< the authors' code: linear phi, sum over bins
  Chi2 logarithmic{};  ///< the paper's Eq. 1: log10 phi, divided by the number of bins
};

/// A difference between two rows on the same boxes.
struct Difference {
  double mean;
  double over_boxes;  ///< standard error of the paired difference over boxes
  double over_seeds;  ///< standard error of the seeds of both
  /// Of both together, as if they were independent.
  double error() const;
};
/// a - b.
Difference difference(const Chi2& a, const Chi2& b);

/// All that the report needs of an evaluation.
struct Results {
  std::vector<ResultRow> rows;
  double poisson_chi2;
  std::int64_t training_boxes, validation_boxes, bins;
  std::string source;

  /// The row of a kind with the lowest mean chi^2 (linear), or null.
  const ResultRow* best(RowKind kind) const;
};

/// The number in the paper's Table 1 (Nadler & To 2018, section 4: RF, ResNet N = 20, 100, 200) for a row of its recipe.
std::optional<double> chi2_of_paper(const ResultRow& row);

/// Reads the JSON of `evaluate`. Throws Error if it is not one.
Results read_results(const PaperPlan& plan);

/// Writes the rows for `plot.py table` (JSON).
void write_table(const Results& results, const std::string& file);

}  // namespace umbra
