#include "models/tasks/smf/poisson_regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::array kPenalties = {1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4};  // from stiff to flexible
constexpr std::size_t kFolds = 5;
constexpr double kMostLog = 30;  // of mu during the search for the maximum

// The regression of one bin. Rows of x begin with a 1, for the constant.
class Bin {
 public:
  Bin(const Matrix& x, const std::vector<double>& counts)
      : x_(x), counts_(counts), total_(std::accumulate(counts.begin(), counts.end(), 0.0)) {
    weights_.assign(x[0].size(), 0.0);
    if (total_ > 0) weights_[0] = std::log(total_ / static_cast<double>(x.size()));
    most_ = *std::max_element(counts.begin(), counts.end()) + 1;
  }

  // Newton's method from the current weights; a step is halved until the objective does not grow.
  void fit(double penalty) {
    constexpr int kSteps = 50, kHalvings = 14;
    if (total_ <= 0) return;
    double now = objective(weights_, penalty);
    for (int step = 0; step < kSteps; ++step) {
      const std::vector<double> direction = newton_step(penalty);
      std::vector<double> next;
      double then = now, length = 1;
      for (int half = 0; half < kHalvings; ++half, length /= 2) {
        next = weights_;
        for (std::size_t k = 0; k < next.size(); ++k) next[k] -= length * direction[k];
        then = objective(next, penalty);
        if (then <= now) break;
      }
      if (!(then <= now)) return;
      weights_ = next;
      const double gain = now - then;
      now = then;
      if (gain <= 1e-9 * std::abs(now)) return;
    }
  }

  double predict(const std::vector<double>& row) const {
    return total_ > 0 ? std::exp(std::min(linear(weights_, row), std::log(most_))) : 0.0;
  }

 private:
  static double linear(const std::vector<double>& weights, const std::vector<double>& row) {
    double sum = 0;
    for (std::size_t k = 0; k < row.size(); ++k) sum += weights[k] * row[k];
    return sum;
  }
  static double limited(double log_mu) { return std::clamp(log_mu, -kMostLog, kMostLog); }

  double objective(const std::vector<double>& weights, double penalty) const {
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < x_.size(); ++r) {
      const double log_mu = limited(linear(weights, x_[r]));
      sum += std::exp(log_mu) - counts_[r] * log_mu;
    }
    for (std::size_t k = 1; k < weights.size(); ++k) squares += weights[k] * weights[k];
    return sum + penalty / 2 * total_ * squares;
  }

  std::vector<double> newton_step(double penalty) const {
    const std::size_t n = weights_.size();
    Matrix hessian(n, std::vector<double>(n, 0.0)), gradient(n, std::vector<double>(1, 0.0));
    for (std::size_t r = 0; r < x_.size(); ++r) {
      const std::vector<double>& row = x_[r];
      const double mu = std::exp(limited(linear(weights_, row)));
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) hessian[i][j] += mu * row[i] * row[j];
        gradient[i][0] += (mu - counts_[r]) * row[i];
      }
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double own = k > 0 ? penalty * total_ : 0.0;
      gradient[k][0] += own * weights_[k];
      hessian[k][k] += own + 1e-9 * total_;  // positive definite also where all mu are tiny
    }
    const Matrix step = Cholesky(std::move(hessian)).solve(std::move(gradient));
    std::vector<double> out(n);
    for (std::size_t k = 0; k < n; ++k) out[k] = step[k][0];
    return out;
  }

  const Matrix& x_;
  std::vector<double> counts_;
  double total_, most_ = 1;
  std::vector<double> weights_;
};

std::vector<double> column(const Matrix& rows, std::size_t k) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row[k]);
  return values;
}

// Adds the chi^2 of the boxes of one fold to error [penalty][bin], in units of 1 / scale^2.
void add_errors(const BoxSet& boxes, const Matrix& x, const Matrix& counts, std::size_t fold, Matrix& error) {
  Matrix fit_x, fit_counts;
  for (std::size_t r = 0; r < x.size(); ++r) {
    if (r % kFolds == fold) continue;
    fit_x.push_back(x[r]);
    fit_counts.push_back(counts[r]);
  }
  parallel_for(static_cast<std::int64_t>(counts[0].size()), [&](std::int64_t index) {
    const auto bin = static_cast<std::size_t>(index);
    Bin model(fit_x, column(fit_counts, bin));
    for (std::size_t p = 0; p < kPenalties.size(); ++p) {
      model.fit(kPenalties[p]);
      for (std::size_t r = fold; r < x.size(); r += kFolds)
        error[p][bin] +=
            std::pow((model.predict(x[r]) - counts[r][bin]) / static_cast<double>(boxes.sigma[bin]), 2);
    }
  });
}

}  // namespace

PoissonRegression poisson_regression(const BoxSet& boxes, const Summary& summary,
                                     const std::vector<std::int64_t>& train,
                                     const std::vector<std::int64_t>& wanted) {
  Matrix all = summary.columns();
  for (std::vector<double>& row : all) row.insert(row.begin(), 1.0);
  const Matrix x = chosen(all, train), of_wanted = chosen(all, wanted), counts = galaxy_counts(boxes, train);
  const std::size_t bins = counts[0].size();
  Matrix error(kPenalties.size(), std::vector<double>(bins, 0.0));
  for (std::size_t fold = 0; fold < kFolds; ++fold) add_errors(boxes, x, counts, fold, error);
  PoissonRegression result;
  double best = std::numeric_limits<double>::max();
  for (std::size_t p = 0; p < kPenalties.size(); ++p) {
    const double sum = std::accumulate(error[p].begin(), error[p].end(), 0.0);
    if (sum < best) best = sum, result.penalty = kPenalties[p];
  }
  const double scale = boxes.options.galaxies_per_phi();
  result.predictions.resize(wanted.size() * bins);
  parallel_for(static_cast<std::int64_t>(bins), [&](std::int64_t index) {
    const auto bin = static_cast<std::size_t>(index);
    Bin model(x, column(counts, bin));
    model.fit(result.penalty);
    for (std::size_t r = 0; r < of_wanted.size(); ++r)
      result.predictions[r * bins + bin] = model.predict(of_wanted[r]) / scale;
  });
  return result;
}

}  // namespace umbra
