// The network on a device against PyTorch's goldens (tests/golden/README.md).
#pragma once

#include "tests/models/um_resnet_golden_run.h"

namespace umbra::golden {

inline bool excluded(const std::string& key) {
  return key.ends_with("fc1.bias") || key.ends_with("fc2.bias") || key.ends_with("fc3.bias") ||
         key.ends_with("num_batches_tracked");
}

inline Numbers every_13th(const Numbers& full) {
  Numbers thinned;
  for (std::size_t i = 0; i < full.size(); i += 13) thinned.push_back(full[i]);
  return thinned;
}

// Where the index rule of the C = 20 goldens samples a tensor of n elements.
inline std::vector<std::size_t> sample_places(std::size_t n, bool centre_taps) {
  std::vector<std::size_t> places;
  const Rng rng(2018, Purpose::kTest, 60);
  for (std::size_t m = 0; m < std::min<std::size_t>(n, 256); ++m) {
    if (n <= 256)
      places.push_back(m);
    else if (centre_taps && m % 2 == 1)
      places.push_back(27 * static_cast<std::size_t>(rng.below(m, n / 27)) + 13);
    else
      places.push_back(static_cast<std::size_t>(rng.below(m, n)));
  }
  return places;
}

inline Numbers summary(const Numbers& x) {
  const Rng rng(2018, Purpose::kTest, 50);
  Numbers s(10, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint32_t signs = rng.words(i)[0];
    s[0] += x[i];
    s[1] += x[i] * x[i];
    for (std::size_t j = 0; j < 8; ++j) s[2 + j] += (signs >> j & 1U) != 0 ? -x[i] : x[i];
  }
  s[1] = std::sqrt(s[1]);
  return s;
}

// Only the centre tap of these 3^3 kernels ever meets data.
inline bool dead_tap(const std::string& what, std::size_t flat) {
  const bool centre_only =
      what.find("layer3.1.conv") != std::string::npos || what.find("layer3.0.conv2") != std::string::npos;
  return centre_only && flat % 27 != 13;
}

// Adam divides by the gradient's own size: where a gradient is rounding noise the move is up to lr in any
// direction. Elements with |gradient| above 1e-4 of the largest must agree closely, the others within 2 lr
// per step (README of the goldens).
inline void expect_adam(const Numbers& got, const Numbers& f32, const Numbers& f64, const Numbers& gradient,
                        int steps, const std::vector<std::size_t>& places, const std::string& what) {
  double largest = 0, distance = 0, size = 0;
  for (double g : gradient) largest = std::max(largest, std::abs(g));
  const auto clear = [&](std::size_t i) { return std::abs(gradient[i]) > 1e-4 * largest; };
  for (std::size_t i = 0; i < f64.size(); ++i) {
    if (clear(i)) distance = std::max(distance, std::abs(f32[i] - f64[i]));
    size = std::max(size, std::abs(f64[i]));
  }
  for (std::size_t i = 0; i < f64.size(); ++i) {
    // No gradient, no first step; a unit that was switched off in the first step may wake up later, a dead
    // tap never.
    const bool still = gradient[i] == 0 && (steps == 1 || dead_tap(what, places[i]));
    const double tolerance = clear(i) ? 10 * distance + 8 * 0x1p-24 * size + 1e-7
                             : still  ? 0x1p-24 * size
                                      : 2e-3 * steps;
    ASSERT_TRUE(std::abs(got[i] - f64[i]) <= tolerance)
        << what << "[" << i << "] is " << got[i] << ", expected " << f64[i] << " +- " << tolerance
        << ", gradient " << gradient[i];
  }
}

/// C = 4, 4 boxes: every number.
inline void expect_full_tensors_at_four_channels(Device device) {
  const SafeTensors file = read("um_resnet_c4.safetensors");
  const Found found = run_network(4, 4, DType::kF32, device);
  int compared = 0;
  for (const auto& [key, full] : found) {
    if (excluded(key)) continue;
    ++compared;
    // Long tensors are thinned, some of them in double only: everything is brought to the length of the
    // oracle.
    const Numbers f64 = numbers(file, "f64/" + key);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < full.size(); i += f64.size() == full.size() ? 1 : 13) places.push_back(i);
    const auto at_places = [&](const Numbers& x) {
      if (x.size() == f64.size()) return x;
      Numbers picked;
      for (std::size_t place : places) picked.push_back(x[place]);
      return picked;
    };
    const Numbers f32 = at_places(numbers(file, key));
    if (key.starts_with("adam")) {
      const Numbers gradient = at_places(numbers(file, "f64/grad/" + key.substr(6)));
      expect_adam(at_places(full), f32, f64, gradient, key[4] - '0', places, key);
    } else {
      expect_near(at_places(full), f32, f64, key);
    }
  }
  EXPECT_EQ(compared,
            241);  // 30 activations and gradients, 57 x 3 for parameters, 38 statistics, output, loss
}

/// C = 20, 8 boxes: projections of every tensor and samples.
inline void expect_summaries_at_twenty_channels(Device device) {
  const SafeTensors file = read("um_resnet_c20.safetensors");
  const Found found = run_network(20, 8, DType::kF32, device);
  int compared = 0;
  for (const auto& [key, full] : found) {
    if (excluded(key)) continue;
    ++compared;
    if (!has(file, "f64/" + key + "/summary")) {
      expect_near(full, numbers(file, key), numbers(file, "f64/" + key), key);
      continue;
    }
    const bool weights =
        !key.starts_with("act") && key.find("conv") != std::string::npos && full.size() % 27 == 0;
    Numbers samples;
    const std::vector<std::size_t> places = sample_places(full.size(), weights);
    for (std::size_t place : places) samples.push_back(full[place]);
    const Numbers f32 = numbers(file, key + "/samples"), f64 = numbers(file, "f64/" + key + "/samples");
    if (key.starts_with("adam")) {
      expect_adam(samples, f32, f64, numbers(file, "f64/grad/" + key.substr(6) + "/samples"), key[4] - '0',
                  places, key);
      continue;
    }
    expect_near(samples, f32, f64, key);
    // A projection of n elements carries sqrt(n) times the error of one: relative to the norm, with the
    // samples' own error.
    const Numbers s32 = numbers(file, key + "/summary"), s64 = numbers(file, "f64/" + key + "/summary");
    const Numbers got = summary(full);
    double distance = 0;
    for (std::size_t i = 0; i < 10; ++i) distance = std::max(distance, std::abs(s32[i] - s64[i]));
    const double tolerance = 10 * distance + 1e-6 * s64[1];
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_TRUE(std::abs(got[i] - s64[i]) <= tolerance)
          << key << " summary " << i << ": " << got[i] << ", expected " << s64[i] << " +- " << tolerance;
    }
  }
  EXPECT_EQ(compared,
            241);  // 30 activations and gradients, 57 x 3 for parameters, 38 statistics, output, loss
}

}  // namespace umbra::golden
