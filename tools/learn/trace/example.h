// An example of any model, as a computation to trace: a network with its initial weights and a batch of random numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/model.h"
#include "tools/learn/trace/trace.h"

namespace umbra::learn {

/// What to trace.
struct ExampleOptions {
  std::int64_t batch = 4;           ///< samples
  std::vector<std::int64_t> input;  ///< shape of a sample; empty: the model's example
  std::int64_t outputs = 0;         ///< numbers per sample; 0: the model's example
  std::int64_t seed = 1;            ///< of weights, inputs and targets
  std::string loss = "mse";         ///< mse or cross_entropy
  std::string dtype = "f32";        ///< f32 or f64

  /// The settings of these options.
  std::vector<Setting> settings();
};

/// A training pass of a new network of this kind on normally distributed inputs. The loss is the mean squared error to
/// normally distributed targets, or the cross-entropy of random classes. Throws Error when the model cannot take such
/// samples.
Computation example_of(Context& context, const Model& model, const ExampleOptions& options);

}  // namespace umbra::learn
