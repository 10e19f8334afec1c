#include "models/tasks/smf/gaussian_process.h"

#include <algorithm>
#include <cmath>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::size_t kMostForSearch = 400;

struct Hyperparameters {
  double noise = 0.1;
  std::vector<double> relevance;  // [group]
};

// At most `most` of the boxes, evenly spaced.
std::vector<std::int64_t> thinned(const std::vector<std::int64_t>& boxes, std::size_t most) {
  const std::size_t stride = (boxes.size() + most - 1) / most;
  std::vector<std::int64_t> some;
  for (std::size_t i = 0; i < boxes.size(); i += stride) some.push_back(boxes[i]);
  return some;
}

double mean_square(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sum / static_cast<double>(a.size());
}

// d_g of all pairs of boxes a and b. [group][a][b]
std::vector<Matrix> distances(const Summary& summary, const std::vector<std::int64_t>& a,
                              const std::vector<std::int64_t>& b) {
  std::vector<Matrix> out;
  for (const Matrix& group : summary.groups) {
    const Matrix of_a = chosen(group, a), of_b = chosen(group, b);
    Matrix& d = out.emplace_back(a.size(), std::vector<double>(b.size()));
    parallel_chunks(std::ssize(a), 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        for (std::size_t j = 0; j < b.size(); ++j) d[i][j] = mean_square(of_a[i], of_b[j]);
    });
  }
  return out;
}

// Of a symmetric kernel only the lower triangle.
Matrix kernel(const std::vector<Matrix>& distance, const std::vector<double>& relevance, bool symmetric) {
  Matrix k = distance.front();
  parallel_chunks(std::ssize(k), 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      for (std::size_t j = 0; j < (symmetric ? i + 1 : k[i].size()); ++j) {
        double sum = 0;
        for (std::size_t g = 0; g < distance.size(); ++g) sum += relevance[g] * distance[g][i][j];
        k[i][j] = std::exp(-sum / 2);
      }
    }
  });
  return k;
}

// The process of some training boxes, with hyperparameters that are still to be chosen.
class Process {
 public:
  Process(const BoxSet& boxes, const Summary& summary, std::vector<std::int64_t> train)
      : counts_(galaxy_counts(boxes, train)),
        distance_(distances(summary, train, train)),
        train_(std::move(train)),
        scale_(boxes.options.galaxies_per_phi()) {
    for (const float sigma : boxes.sigma) error_.push_back(static_cast<double>(sigma) * scale_);
    const std::size_t bins = counts_[0].size();
    const auto n = static_cast<double>(counts_.size());
    mean_.assign(bins, 0.0);
    deviation_.assign(bins, 0.0);
    for (const auto& row : counts_)
      for (std::size_t b = 0; b < bins; ++b) mean_[b] += std::sqrt(row[b]) / n;
    for (const auto& row : counts_)
      for (std::size_t b = 0; b < bins; ++b) deviation_[b] += std::pow(std::sqrt(row[b]) - mean_[b], 2) / n;
    for (double& d : deviation_) d = d > 0 ? std::sqrt(d) : 1.0;
    standardised_ = counts_;
    for (auto& row : standardised_)
      for (std::size_t b = 0; b < bins; ++b) row[b] = (std::sqrt(row[b]) - mean_[b]) / deviation_[b];
  }

  // Fits the process, and returns chi^2 of every training box predicted from the others, summed.
  double fit(const Hyperparameters& chosen_ones) {
    Matrix k = kernel(distance_, chosen_ones.relevance, true);
    for (std::size_t i = 0; i < k.size(); ++i) k[i][i] += chosen_ones.noise;
    const Cholesky factor(std::move(k));
    weights_ = factor.solve(standardised_);
    const std::vector<double> diagonal = factor.inverse_diagonal();
    const std::size_t bins = mean_.size();
    Matrix residual = weights_;  // of the standardised roots, left out minus predicted
    variance_.assign(bins, 0.0);
    for (std::size_t i = 0; i < residual.size(); ++i)
      for (std::size_t b = 0; b < bins; ++b) {
        residual[i][b] /= diagonal[i];
        variance_[b] += std::pow(residual[i][b] * deviation_[b], 2) / static_cast<double>(residual.size());
      }
    double chi2 = 0;
    for (std::size_t i = 0; i < residual.size(); ++i)
      for (std::size_t b = 0; b < bins; ++b)
        chi2 += std::pow((expected(b, standardised_[i][b] - residual[i][b]) - counts_[i][b]) / error_[b], 2);
    return chi2;
  }

  // phi of `wanted` after fit(). [wanted, bins]
  std::vector<double> predict(const Summary& summary, const std::vector<std::int64_t>& wanted,
                              const Hyperparameters& chosen_ones) const {
    const Matrix k = kernel(distances(summary, wanted, train_), chosen_ones.relevance, false);
    const std::size_t bins = mean_.size();
    std::vector<double> phi(wanted.size() * bins);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      for (std::size_t b = 0; b < bins; ++b) {
        double root = 0;
        for (std::size_t j = 0; j < train_.size(); ++j) root += k[i][j] * weights_[j][b];
        phi[i * bins + b] = expected(b, root) / scale_;
      }
    return phi;
  }

 private:
  // E[N] from the mean of the standardised square root.
  double expected(std::size_t bin, double root) const {
    const double mean = std::max(mean_[bin] + deviation_[bin] * root, 0.0);
    return mean * mean + variance_[bin];
  }

  Matrix counts_, standardised_, weights_;  // [train][bins]
  std::vector<Matrix> distance_;            // [group][train][train]
  std::vector<std::int64_t> train_;
  double scale_;                                             // count / phi
  std::vector<double> mean_, deviation_, variance_, error_;  // [bins]; error_: sigma as a count
};

// Improves one number after the other as long as that lowers chi^2.
Hyperparameters search(Process process, std::size_t groups) {
  constexpr double kLeastGain = 1e-4, kLeastNoise = 1e-5, kLeastRelevance = 1e-4, kMost = 100;
  constexpr int kSweeps = 2;
  Hyperparameters best;
  best.relevance.assign(groups, 0.3);
  double lowest = process.fit(best);
  const auto improve = [&](std::size_t which, double factor) {  // which: a group, or `groups` for the noise
    for (;;) {
      Hyperparameters next = best;
      double& number = which < groups ? next.relevance[which] : next.noise;
      number *= factor;
      if (number < (which < groups ? kLeastRelevance : kLeastNoise) || number > kMost) return;
      const double chi2 = process.fit(next);
      if (!(chi2 < lowest * (1 - kLeastGain))) return;
      lowest = chi2;
      best = next;
    }
  };
  for (const double step : {4.0, 2.0})
    for (int sweep = 0; sweep < kSweeps; ++sweep)
      for (std::size_t which = 0; which <= groups; ++which) {
        improve((which + groups) % (groups + 1), 1 / step);  // the noise first
        improve((which + groups) % (groups + 1), step);
      }
  return best;
}

}  // namespace

GaussianProcess gaussian_process(const BoxSet& boxes, const Summary& summary,
                                 const std::vector<std::int64_t>& train,
                                 const std::vector<std::int64_t>& wanted) {
  const std::vector<std::int64_t> used = thinned(train, kMostGaussian);
  const Hyperparameters best =
      search(Process(boxes, summary, thinned(used, kMostForSearch)), summary.groups.size());
  Process process(boxes, summary, used);
  process.fit(best);
  return {process.predict(summary, wanted, best), best.noise, best.relevance};
}

}  // namespace umbra
