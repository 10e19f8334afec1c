// The exercises of lesson 7, on one axis of a convolution: `size` positions, a kernel of `taps` numbers that
// moves by `stride`, and `padding` zeros at each end of the input.
#pragma once

#include <cstdint>
#include <vector>

namespace umbra::learn {

/// Number of positions at which the kernel fits into the padded input.
std::int64_t output_size(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding);

/// y[o] = sum over t of w[t] x[o stride - padding + t], where x is zero outside the input.
std::vector<double> convolve(const std::vector<double>& x, const std::vector<double>& w, std::int64_t stride,
                             std::int64_t padding);

/// How many of the taps³ taps of a 3-D kernel meet data at one output position or more. The volume has size³
/// positions; stride and padding are the same on its three axes.
std::int64_t live_taps(std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding);

}  // namespace umbra::learn
