// A cubic grid and its real-to-complex Fourier transform, in place, on all threads.
//
// FFTW transforms planes and pencils, so the result is bit-identical for any number of threads. Plans are
// made with FFTW_ESTIMATE, because a measured plan and its rounding may change from run to run.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace umbra::mock {

/// n^3 floats, x slowest. Rows have two floats of padding, so that the same memory can hold the n x n x
/// (n/2 + 1) complex modes with kz >= 0. The contents are initially zero.
class Grid {
 public:
  /// Throws Error unless n is a multiple of 4.
  explicit Grid(int n);

  int n() const { return n_; }                        ///< cells per side
  std::int64_t row_length() const { return n_ + 2; }  ///< floats from row to row
  /// The n values (x, y, 0 .. n - 1).
  float* row(int x, int y) { return data_.get() + (std::int64_t{x} * n_ + y) * row_length(); }
  /// The same, read-only.
  const float* row(int x, int y) const { return data_.get() + (std::int64_t{x} * n_ + y) * row_length(); }
  /// The n/2 + 1 modes (x, y, 0 .. n/2); index x or y above n/2 means the wave number x - n or y - n.
  std::complex<float>* modes(int x, int y) { return reinterpret_cast<std::complex<float>*>(row(x, y)); }
  /// The same, read-only.
  const std::complex<float>* modes(int x, int y) const {
    return reinterpret_cast<const std::complex<float>*>(row(x, y));
  }
  /// The signed wave number of index i, in units of the fundamental 2 pi / L.
  int wave_number(int i) const { return i <= n_ / 2 ? i : i - n_; }

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  int n_;
  std::unique_ptr<float, Free> data_;  // [n, n, n + 2]
};

/// Plans for grids of n^3. Making one is not thread-safe (FFTW's planner is global); using one is.
class Fft {
 public:
  /// Makes the plans.
  explicit Fft(int n);
  ~Fft();
  Fft(const Fft&) = delete;
  Fft& operator=(const Fft&) = delete;

  /// Transforms values f(x) to amplitudes f_k = n^-3 sum_x f(x) exp(-ikx).
  void forward(Grid& grid) const;
  /// Transforms amplitudes to values f(x) = sum_k f_k exp(ikx).
  void inverse(Grid& grid) const;

 private:
  struct Plans;
  void transform_pencils(Grid& grid, bool to_modes) const;
  int n_;
  std::unique_ptr<Plans> plans_;
};

}  // namespace umbra::mock
