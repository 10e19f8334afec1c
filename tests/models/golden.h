// Reading the goldens of tests/golden: the recipe for inputs and parameters, and comparison with the f64
// oracle within ten times PyTorch's own float32 error.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "engine/io/safetensors.h"
#include "engine/nn/module.h"

namespace umbra::golden {

inline double u(std::uint64_t stream, std::uint64_t index) {
  return Rng(2018, Purpose::kTest, stream).uniform(index);
}

inline SafeTensors read(const std::string& name) {
  const char* elsewhere = std::getenv("UMBRA_GOLDENS");  // where the tests run without their repository
  return read_safetensors((elsewhere != nullptr ? elsewhere : UMBRA_SOURCE_DIR "/tests/golden") +
                          ("/" + name));
}

inline bool has(const SafeTensors& file, const std::string& key) {
  for (const NamedTensor& t : file.tensors) {
    if (t.name == key) return true;
  }
  return false;
}

inline std::vector<double> numbers(const SafeTensors& file, const std::string& key) {
  Stream stream(Device{});
  return to_host(file.at(key), stream);
}

/// Writes u-based values into a tensor of the network.
template <class F>
void fill(const Tensor& tensor, F value_of) {
  std::vector<double> values(static_cast<std::size_t>(tensor.count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(static_cast<float>(value_of(i)));
  Stream stream(tensor.device());
  from_host(values, tensor, stream);
}

/// Sets every parameter of a network to the goldens' recipe; `p` counts in registration order.
inline void set_parameters(const Module& network) {
  std::uint64_t stream = 100;
  double bound = 0;  // of the last weight, which a linear bias shares
  for (const Parameter& p : network.parameters()) {
    const Shape& shape = p.value().shape();
    const bool norm =
        p.name.find("bn") != std::string::npos || p.name.find("downsample.1") != std::string::npos;
    if (shape.rank() > 1) bound = 2 / std::sqrt(static_cast<double>(shape.count_from(1)));
    const bool norm_weight = norm && p.name.ends_with("weight");
    const double scale = norm ? 0.2 : bound;
    fill(p.value(), [&](std::size_t i) { return (norm_weight ? 1.0 : 0.0) + (u(stream, i) - 0.5) * scale; });
    ++stream;
  }
}

/// got[i] against the oracle; `factor` times the distance of PyTorch's float32 plus a few ulp of the largest
/// number.
inline void expect_near(const std::vector<double>& got, const std::vector<double>& f32,
                        const std::vector<double>& f64, const std::string& what, double factor = 10) {
  ASSERT_EQ(got.size(), f64.size()) << what;
  double distance = 0, largest = 0;
  for (std::size_t i = 0; i < f64.size(); ++i) {
    distance = std::max(distance, std::abs(f32[i] - f64[i]));
    largest = std::max(largest, std::abs(f64[i]));
  }
  const double tolerance = factor * distance + 8 * 0x1p-24 * largest;
  for (std::size_t i = 0; i < f64.size(); ++i) {
    // Written so that a NaN fails.
    if (!(std::abs(got[i] - f64[i]) <= tolerance)) {
      ADD_FAILURE() << what << "[" << i << "] is " << got[i] << ", expected " << f64[i] << " +- "
                    << tolerance;
      return;
    }
  }
}

}  // namespace umbra::golden
