#include "models/tasks/smf/summaries.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

// Subtracts the mean of the training boxes and divides by their deviation; columns without one are removed.
Matrix standardised(const Matrix& rows, const std::vector<std::int64_t>& train) {
  Matrix out(rows.size());
  const auto count = static_cast<double>(train.size());
  for (std::size_t k = 0; k < rows[0].size(); ++k) {
    double mean = 0, squares = 0;
    for (const std::int64_t box : train) mean += rows[static_cast<std::size_t>(box)][k] / count;
    for (const std::int64_t box : train)
      squares += std::pow(rows[static_cast<std::size_t>(box)][k] - mean, 2) / count;
    const double deviation = std::sqrt(squares);
    if (!(deviation > 1e-12 * std::abs(mean))) continue;
    for (std::size_t box = 0; box < rows.size(); ++box) out[box].push_back((rows[box][k] - mean) / deviation);
  }
  return out;
}

// Numbers above the lower edge of each bin, as log(1 + number).
Matrix cumulative_logs(Matrix histograms) {
  for (std::vector<double>& row : histograms) {
    for (std::size_t k = row.size() - 1; k-- > 0;) row[k] += row[k + 1];
    for (double& number : row) number = std::log1p(number);
  }
  return histograms;
}

Matrix log_numbers_of_halos(const BoxSet& boxes) {
  Matrix rows;
  for (const std::int64_t halos : boxes.halos) rows.push_back({std::log1p(static_cast<double>(halos))});
  return rows;
}

Matrix parameter_column(const std::vector<double>& values) {
  const bool positive = std::all_of(values.begin(), values.end(), [](double v) { return v > 0; });
  Matrix rows;
  for (const double value : values) rows.push_back({positive ? std::log(value) : value});
  return rows;
}

void add_group(Summary& summary, const Matrix& rows, const std::vector<std::int64_t>& train) {
  Matrix group = standardised(rows, train);
  if (!group[0].empty()) summary.groups.push_back(std::move(group));
}

}  // namespace

Matrix Summary::columns() const {
  Matrix all = groups.front();
  for (std::size_t g = 1; g < groups.size(); ++g)
    for (std::size_t box = 0; box < all.size(); ++box)
      all[box].insert(all[box].end(), groups[g][box].begin(), groups[g][box].end());
  return all;
}

std::vector<Summary> summaries_of(const BoxSet& boxes, const std::vector<std::int64_t>& train) {
  Summary histogram{kHistogramSummary, {}}, parameters{kParametersSummary, {}},
      both{"the histogram and the parameters", {}};
  add_group(histogram, cumulative_logs(input_histograms(boxes, train)), train);
  add_group(histogram, log_numbers_of_halos(boxes), train);
  for (const auto& [name, values] : boxes.parameters) add_group(parameters, parameter_column(values), train);
  std::vector<Summary> all;
  for (const Summary* summary : {&histogram, &parameters}) {
    if (!summary->groups.empty()) all.push_back(*summary);
    both.groups.insert(both.groups.end(), summary->groups.begin(), summary->groups.end());
  }
  if (all.size() == 2) all.push_back(both);
  return all;
}

double galaxies_per_phi(const BoxOptions& options) {
  return std::pow(options.subbox_size, 3) * (options.per_dex ? options.smf_width : 1.0);
}

Matrix galaxy_counts(const BoxSet& boxes, const std::vector<std::int64_t>& which) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const double scale = galaxies_per_phi(boxes.options);
  Matrix counts;
  for (const std::int64_t box : which) {
    std::vector<double>& row = counts.emplace_back();
    for (std::size_t bin = 0; bin < bins; ++bin)  // the label is a float: the count is the nearest integer
      row.push_back(
          std::round(scale * static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * bins + bin])));
  }
  return counts;
}

Matrix chosen(const Matrix& of, const std::vector<std::int64_t>& rows) {
  Matrix some;
  for (const std::int64_t row : rows) some.push_back(of[static_cast<std::size_t>(row)]);
  return some;
}

}  // namespace umbra
