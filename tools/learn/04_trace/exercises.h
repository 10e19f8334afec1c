// Exercises of lesson 4: the parts of backpropagation through a fully connected network.
#pragma once

#include <vector>

namespace umbra::learn {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // rows

/// A fully connected layer w x + b: w [M][K], b [M], x [K] -> [M].
Vector layer(const Matrix& w, const Vector& b, const Vector& x);

/// The gradient of the loss -log p[label], where p = softmax(logits), with respect to the logits: [K] -> [K]. Logits of
/// any size must not overflow.
Vector cross_entropy_gradient(const Vector& logits, int label);

/// Gradients of the loss with respect to everything that a layer depends on.
struct LayerGradients {
  Matrix w;  ///< [M][K]
  Vector b;  ///< [M]
  Vector x;  ///< [K]
};
/// The backward pass of layer(): `upstream` [M] is the gradient of the loss with respect to the layer's result.
LayerGradients layer_backward(const Matrix& w, const Vector& x, const Vector& upstream);

}  // namespace umbra::learn
