// The network of the lesson, x [2] -> fc1, tanh [3] -> fc2, softmax [2], in plain loops and as modules of the engine.
#pragma once

#include <cmath>

#include "engine/nn/layers.h"
#include "tools/learn/04_trace/exercises.h"

namespace umbra::learn {

/// All weights, in the order of the modules' parameters: fc1.weight [3, 2], fc1.bias [3], fc2.weight [2, 3], fc2.bias [2].
inline const Vector kWeights{0.5, -0.3, -0.2, 0.8,  0.7, 0.4, 0.1, 0,  -0.2,
                             0.6, -0.4, 0.9,  -0.5, 0.3, 0.2, 0,   0.1};

/// The step in plain loops.
struct PlainStep {
  Vector before, hidden, logits;        // [3], [3], [2]: z', z = tanh(z'), y
  double loss = 0;                      // -log softmax(y)[label]
  Vector d_logits, d_hidden, d_before;  // gradients of the loss
  Vector gradient;                      // of all weights, in the order of kWeights

  PlainStep(const Vector& weights, const Vector& x, int label) {
    const auto part = [&](std::ptrdiff_t begin, std::ptrdiff_t count) {
      return Vector(weights.begin() + begin, weights.begin() + begin + count);
    };
    const Matrix w1{part(0, 2), part(2, 2), part(4, 2)}, w2{part(9, 3), part(12, 3)};
    before = layer(w1, part(6, 3), x);
    for (const double z : before) hidden.push_back(std::tanh(z));
    logits = layer(w2, part(15, 2), hidden);
    double sum = 0;
    for (const double y : logits) sum += std::exp(y - logits[static_cast<std::size_t>(label)]);
    loss = std::log(sum);
    d_logits = cross_entropy_gradient(logits, label);
    const LayerGradients second = layer_backward(w2, hidden, d_logits);
    d_hidden = second.x;
    for (std::size_t m = 0; m < hidden.size(); ++m)
      d_before.push_back(d_hidden[m] * (1 - hidden[m] * hidden[m]));
    const LayerGradients first = layer_backward(w1, x, d_before);
    for (const LayerGradients* g : {&first, &second}) {
      for (const Vector& row : g->w) gradient.insert(gradient.end(), row.begin(), row.end());
      gradient.insert(gradient.end(), g->b.begin(), g->b.end());
    }
  }
};

/// The modules. With `from_x` the output layer multiplies x, as on the slide, in place of the hidden layer.
class EngineNet final : public Module {
 public:
  EngineNet(Build& build, bool from_x)
      : from_x_(from_x),
        fc1_(add_child("fc1", std::make_shared<Linear>(build, 2, 3))),
        fc2_(add_child("fc2", std::make_shared<Linear>(build, from_x ? 2 : 3, 2))) {}
  Var forward(Pass& pass, const Var& x) override {
    const Var hidden = tanh(pass, fc1_->forward(pass, x));
    return fc2_->forward(pass, from_x_ ? x : hidden);
  }

 private:
  bool from_x_;
  std::shared_ptr<Linear> fc1_, fc2_;
};

}  // namespace umbra::learn
