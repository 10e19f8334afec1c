#include "models/tasks/smf/baselines.h"

#include <cmath>
#include <limits>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::size_t kFolds = kFewestForRidge - 1;

std::vector<double> label(const BoxSet& boxes, std::int64_t box) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  const auto begin = boxes.smf.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(box) * bins);
  return {begin, begin + static_cast<std::ptrdiff_t>(bins)};
}

std::vector<double> column_means(const Matrix& rows) {
  std::vector<double> means(rows[0].size(), 0.0);
  for (const auto& row : rows) {
    for (std::size_t k = 0; k < means.size(); ++k) means[k] += row[k] / static_cast<double>(rows.size());
  }
  return means;
}

struct Ridge {
  std::vector<double> x_mean, x_scale, y_mean;
  Matrix weights;  // [features, outputs]

  Ridge(const Matrix& x, const Matrix& y, double penalty) : x_mean(column_means(x)), y_mean(column_means(y)) {
    const std::size_t n = x[0].size(), outputs = y[0].size();
    x_scale.assign(n, 0.0);
    for (const auto& row : x) {
      for (std::size_t k = 0; k < n; ++k) x_scale[k] += (row[k] - x_mean[k]) * (row[k] - x_mean[k]);
    }
    for (double& s : x_scale) s = s > 0 ? std::sqrt(static_cast<double>(x.size()) / s) : 0.0;
    Matrix normal(n, std::vector<double>(n, 0.0)), right(n, std::vector<double>(outputs, 0.0));
    for (std::size_t r = 0; r < x.size(); ++r) {
      const std::vector<double> z = standardised(x[r]);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) normal[i][j] += z[i] * z[j];
        for (std::size_t o = 0; o < outputs; ++o) right[i][o] += z[i] * (y[r][o] - y_mean[o]);
      }
    }
    for (std::size_t i = 0; i < n; ++i) normal[i][i] += penalty * static_cast<double>(x.size());
    weights = Cholesky(normal).solve(right);
  }

  std::vector<double> standardised(const std::vector<double>& row) const {
    std::vector<double> z(row.size());
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = (row[k] - x_mean[k]) * x_scale[k];
    return z;
  }
  std::vector<double> predict(const std::vector<double>& row) const {
    const std::vector<double> z = standardised(row);
    std::vector<double> y = y_mean;
    for (std::size_t k = 0; k < z.size(); ++k) {
      for (std::size_t o = 0; o < y.size(); ++o) y[o] += z[k] * weights[k][o];
    }
    return y;
  }
};

double cross_validation_error(const BoxSet& boxes, const Matrix& x, const Matrix& y, double penalty) {
  double error = 0;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    Matrix xs, ys;
    for (std::size_t r = 0; r < x.size(); ++r) {
      if (r % kFolds != fold) xs.push_back(x[r]), ys.push_back(y[r]);
    }
    const Ridge ridge(xs, ys, penalty);
    for (std::size_t r = fold; r < x.size(); r += kFolds) {
      const std::vector<double> predicted = ridge.predict(x[r]);
      for (std::size_t o = 0; o < predicted.size(); ++o) {
        const double d = (predicted[o] - y[r][o]) / static_cast<double>(boxes.sigma[o]);
        error += d * d;
      }
    }
  }
  return error;
}

}  // namespace

std::string without_ridge(std::size_t boxes) {
  return concat("small models are left out, because they need at least ", kFewestForRidge,
                " training boxes and there are ", boxes);
}

std::vector<double> mean_baseline(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                  const std::vector<std::int64_t>& wanted) {
  Matrix labels;
  for (std::int64_t box : train) labels.push_back(label(boxes, box));
  const std::vector<double> mean = column_means(labels);
  std::vector<double> predictions;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    predictions.insert(predictions.end(), mean.begin(), mean.end());
  return predictions;
}

RidgeBaseline ridge_regression(const BoxSet& boxes, const std::vector<std::int64_t>& train, const Matrix& x,
                               const Matrix& of_wanted) {
  require(train.size() >= kFewestForRidge, without_ridge(train.size()));
  Matrix y;
  for (std::int64_t box : train) y.push_back(label(boxes, box));
  RidgeBaseline result;
  double best = std::numeric_limits<double>::max();
  for (double penalty : {1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 10.0}) {
    const double error = cross_validation_error(boxes, x, y, penalty);
    if (error < best) best = error, result.penalty = penalty;
  }
  const Ridge ridge(x, y, result.penalty);
  for (const auto& row : of_wanted) {
    const std::vector<double> predicted = ridge.predict(row);
    result.predictions.insert(result.predictions.end(), predicted.begin(), predicted.end());
  }
  return result;
}

double poisson_chi2(const BoxSet& boxes, const std::vector<std::int64_t>& wanted) {
  const double scale = boxes.options.galaxies_per_phi();
  double sum = 0;
  for (const std::int64_t box : wanted) {
    const std::vector<double> phi = label(boxes, box);
    for (std::size_t b = 0; b < phi.size(); ++b)
      sum += phi[b] / (scale * std::pow(static_cast<double>(boxes.sigma[b]), 2));
  }
  return sum / static_cast<double>(wanted.size());
}

}  // namespace umbra
