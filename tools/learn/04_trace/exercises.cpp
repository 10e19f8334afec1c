#include "tools/learn/04_trace/exercises.h"

#include <algorithm>
#include <cmath>

#include "tools/learn/common/check.h"

namespace umbra::learn {

Vector layer(const Matrix& w, const Vector& b, const Vector& x) {
  // BLANK 1: return w x + b: one number per row of w
  Vector z = b;
  for (std::size_t m = 0; m < w.size(); ++m)
    for (std::size_t k = 0; k < x.size(); ++k) z[m] += w[m][k] * x[k];
  return z;
  // END
}

Vector cross_entropy_gradient(const Vector& logits, int label) {
  // BLANK 2: return d(-log p[label]) / d logits[k] for every k, also for logits of 1000
  const double largest = *std::max_element(logits.begin(), logits.end());
  Vector gradient;
  double sum = 0;
  for (const double logit : logits) {
    gradient.push_back(std::exp(logit - largest));
    sum += gradient.back();
  }
  for (double& g : gradient) g /= sum;
  gradient[static_cast<std::size_t>(label)] -= 1;
  return gradient;
  // END
}

LayerGradients layer_backward(const Matrix& w, const Vector& x, const Vector& upstream) {
  // BLANK 3: return the gradients of w, b and x; every element is a sum over the rows of upstream × local
  LayerGradients gradients{w, upstream, Vector(x.size(), 0.0)};
  for (std::size_t m = 0; m < w.size(); ++m) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      gradients.w[m][k] = upstream[m] * x[k];
      gradients.x[k] += upstream[m] * w[m][k];
    }
  }
  return gradients;
  // END
}

}  // namespace umbra::learn
