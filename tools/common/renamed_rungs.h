// Runs written by older versions may prefer kernels by names that have changed since.
#pragma once

#include <string>
#include <string_view>

namespace umbra {

/// The setting `kernels` of a run ("conv_wgrad=cpu_3_rounded, add=cpu_1_simd") with the current names.
/// Preferences for batch_norm_relu_* now apply to batch_norm_*, with or without a ReLU.
std::string with_names_of_today(std::string_view kernels);

}  // namespace umbra
