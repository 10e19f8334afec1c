#include "data/mock/fft.h"

#include <fftw3.h>

#include <algorithm>
#include <new>

#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr int kPencils = 16;  // pencils copied out together: two cache lines of every plane

fftwf_complex* as_fftw(std::complex<float>* p) {
  return reinterpret_cast<fftwf_complex*>(p);
}

/// Memory from FFTW's allocator, aligned for its vector code.
std::unique_ptr<std::complex<float>[], void (*)(void*)> pencil_buffer(int n) {
  void* memory = fftwf_malloc(sizeof(std::complex<float>) * kPencils * static_cast<std::size_t>(n));
  if (memory == nullptr) throw std::bad_alloc();
  return {static_cast<std::complex<float>*>(memory), fftwf_free};
}

}  // namespace

void Grid::Free::operator()(float* memory) const {
  fftwf_free(memory);
}

Grid::Grid(int n) : n_(n) {
  require(n >= 4 && n % 4 == 0, "a Fourier grid has ", n, " cells a side, where a multiple of 4 is expected");
  const std::int64_t count = std::int64_t{n} * n * (n + 2);
  data_.reset(static_cast<float*>(fftwf_malloc(sizeof(float) * static_cast<std::size_t>(count))));
  if (!data_) throw std::bad_alloc();
  parallel_for(n, [&](std::int64_t x) {
    std::fill_n(row(static_cast<int>(x), 0), std::int64_t{n_} * row_length(), 0.0f);
  });
}

struct Fft::Plans {
  fftwf_plan plane_forward, plane_inverse, pencil_forward, pencil_inverse;
};

Fft::Fft(int n) : n_(n), plans_(std::make_unique<Plans>()) {
  Grid scratch(n);  // planes start at multiples of 32 bytes because n is a multiple of 4
  const auto buffer = pencil_buffer(n);
  fftwf_complex* pencils = as_fftw(buffer.get());
  plans_->plane_forward =
      fftwf_plan_dft_r2c_2d(n, n, scratch.row(0, 0), as_fftw(scratch.modes(0, 0)), FFTW_ESTIMATE);
  plans_->plane_inverse =
      fftwf_plan_dft_c2r_2d(n, n, as_fftw(scratch.modes(0, 0)), scratch.row(0, 0), FFTW_ESTIMATE);
  plans_->pencil_forward = fftwf_plan_many_dft(1, &n, kPencils, pencils, nullptr, 1, n, pencils, nullptr, 1,
                                               n, FFTW_FORWARD, FFTW_ESTIMATE);
  plans_->pencil_inverse = fftwf_plan_many_dft(1, &n, kPencils, pencils, nullptr, 1, n, pencils, nullptr, 1,
                                               n, FFTW_BACKWARD, FFTW_ESTIMATE);
}

Fft::~Fft() {
  for (fftwf_plan plan :
       {plans_->plane_forward, plans_->plane_inverse, plans_->pencil_forward, plans_->pencil_inverse})
    fftwf_destroy_plan(plan);
}

void Fft::forward(Grid& grid) const {
  const float scale = 1.0f / (static_cast<float>(n_) * static_cast<float>(n_) * static_cast<float>(n_));
  parallel_for(n_, [&](std::int64_t x) {
    float* plane = grid.row(static_cast<int>(x), 0);
    for (std::int64_t i = 0; i < n_ * grid.row_length(); ++i) plane[i] *= scale;
    fftwf_execute_dft_r2c(plans_->plane_forward, plane, as_fftw(grid.modes(static_cast<int>(x), 0)));
  });
  transform_pencils(grid, true);
}

void Fft::inverse(Grid& grid) const {
  transform_pencils(grid, false);
  parallel_for(n_, [&](std::int64_t x) {
    fftwf_execute_dft_c2r(plans_->plane_inverse, as_fftw(grid.modes(static_cast<int>(x), 0)),
                          grid.row(static_cast<int>(x), 0));
  });
}

void Fft::transform_pencils(Grid& grid, bool to_modes) const {
  const std::int64_t plane = std::int64_t{n_} * (n_ / 2 + 1);  // modes in a plane of constant x
  std::complex<float>* modes = grid.modes(0, 0);
  parallel_chunks(plane, kPencils, [&](std::int64_t begin, std::int64_t end) {
    const auto buffer = pencil_buffer(n_);  // [kPencils, n]
    std::fill_n(buffer.get(), std::int64_t{kPencils} * n_, std::complex<float>());
    for (int x = 0; x < n_; ++x)
      for (std::int64_t i = begin; i < end; ++i) buffer[(i - begin) * n_ + x] = modes[x * plane + i];
    fftwf_execute_dft(to_modes ? plans_->pencil_forward : plans_->pencil_inverse, as_fftw(buffer.get()),
                      as_fftw(buffer.get()));
    for (int x = 0; x < n_; ++x)
      for (std::int64_t i = begin; i < end; ++i) modes[x * plane + i] = buffer[(i - begin) * n_ + x];
  });
}

}  // namespace umbra::mock
