#include "engine/ops/stem/op.h"

#include <algorithm>

#include "engine/base/error.h"

namespace umbra {
namespace {

std::string joined(const Triple& t) {
  return concat(t[0], "x", t[1], "x", t[2]);
}

std::size_t index_of(int axis) {
  return static_cast<std::size_t>(axis);
}

double as_double(std::int64_t n) {
  return static_cast<double>(n);
}

}  // namespace

StemAxis::StemAxis(std::int64_t in_, std::int64_t kernel_, std::int64_t stride_, std::int64_t padding_)
    : in(in_),
      kernel(kernel_),
      stride(stride_),
      padding(padding_),
      out((in_ + 2 * padding_ - kernel_) / stride_ + 1),
      live_begin(out),
      live_end(0),
      live_taps(0) {
  rank.fill(-1);
  for (std::int64_t o = 0; o < out; ++o) {
    if (first_tap(o) >= last_tap(o)) continue;
    live_begin = std::min(live_begin, o);
    live_end = o + 1;
    for (std::int64_t t = first_tap(o); t < last_tap(o); ++t) rank[static_cast<std::size_t>(t)] = 0;
  }
  live_begin = std::min(live_begin, live_end);
  for (std::int64_t& r : rank) {
    if (r == 0) r = live_taps++;
  }
}

StemAxis StemGeometry::axis(int a) const {
  const std::size_t i = index_of(a);
  return {in[i], kernel[i], stride[i], padding[i]};
}

StemWindow StemGeometry::window(int a, std::int64_t q) const {
  const std::size_t i = index_of(a);
  const std::int64_t start = q * pool_stride[i] - pool_padding[i];
  return {start, std::max<std::int64_t>(0, -start), std::min(pool[i], conv_out(a) - start)};
}

std::int64_t StemGeometry::conv_out(int a) const {
  const std::size_t i = index_of(a);
  return (in[i] + 2 * padding[i] - kernel[i]) / stride[i] + 1;
}

std::int64_t StemGeometry::pool_out(int a) const {
  const std::size_t i = index_of(a);
  return (conv_out(a) + 2 * pool_padding[i] - pool[i]) / pool_stride[i] + 1;
}

double StemGeometry::live_pairs() const {
  double product = 1;
  for (int a = 0; a < 3; ++a) {
    const StemAxis line = axis(a);
    std::int64_t pairs = 0;
    for (std::int64_t o = line.live_begin; o < line.live_end; ++o)
      pairs += line.last_tap(o) - line.first_tap(o);
    product *= as_double(pairs);
  }
  return product;
}

void StemGeometry::check() const {
  require(batch > 0 && in_channels > 0 && channels > 0, "stem ", *this,
          ": batch and channels must be positive");
  for (std::size_t a = 0; a < 3; ++a) {
    require(in[a] > 0 && kernel[a] > 0 && stride[a] > 0 && pool[a] > 0 && pool_stride[a] > 0, "stem ", *this,
            ": extents, kernels and strides must be positive");
    require(kernel[a] <= kMaxStemKernel, "stem ", *this, ": a kernel of ", kernel[a],
            " is larger than the limit of ", kMaxStemKernel);
    require(padding[a] >= 0, "stem ", *this, ": padding must not be negative");
    require(in[a] + 2 * padding[a] >= kernel[a], "stem ", *this, ": the kernel of ", kernel[a],
            " is larger than the padded extent ", in[a] + 2 * padding[a], ", so the output would be empty");
    require(pool_padding[a] >= 0 && pool_padding[a] <= pool[a] / 2, "stem ", *this,
            ": the padding of the pooling must be between 0 and half its kernel");
    const std::int64_t out = conv_out(static_cast<int>(a));
    require(out + 2 * pool_padding[a] >= pool[a], "stem ", *this, ": the pooling kernel of ", pool[a],
            " is larger than the padded extent ", out + 2 * pool_padding[a],
            ", so the output would be empty");
  }
  require(pool[0] <= kNoWinner && pool[1] <= kNoWinner && pool[2] <= kNoWinner && pool_taps() <= kNoWinner,
          "stem ", *this, ": a pooling window has at most ", static_cast<int>(kNoWinner), " taps");
}

std::string StemGeometry::text() const {
  return concat("n", batch, " c", in_channels, ":", channels, " i", joined(in), " k", joined(kernel), " s",
                joined(stride), " p", joined(padding), " pool k", joined(pool), " s", joined(pool_stride),
                " p", joined(pool_padding));
}

BufferSpec StemOp::of_x() const {
  return {"x", dtype, geometry.batch * geometry.in_channels * geometry.in_volume(), Access::kIn};
}
BufferSpec StemOp::of_w(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.patch() * geometry.channels, access};
}
BufferSpec StemOp::of_y(std::string_view buffer, Access access) const {
  return {buffer, dtype, geometry.pooled(), access};
}
BufferSpec StemOp::of_channels(std::string_view buffer, Access access, Fill fill) const {
  return {buffer, dtype, geometry.channels, access, fill};
}
double StemOp::conv_flops() const {
  return 2 * as_double(geometry.batch * geometry.in_channels * geometry.channels) * geometry.live_pairs();
}

std::vector<BufferSpec> Stem3dForward::buffers() const {
  const std::int64_t patch = geometry.patch();
  return {of_x(),
          of_w("w", Access::kIn),
          of_channels("gamma", Access::kIn),
          of_channels("beta", Access::kIn),
          of_channels("running_mean", Access::kInOut),
          of_channels("running_var", Access::kInOut, Fill::kPositive),
          of_y("y", Access::kOut),
          {"winner", DType::kI32, geometry.winner_words(), Access::kOut},
          of_channels("mean", Access::kOut),
          of_channels("invstd", Access::kOut),
          {"patch_mean", DType::kF64, patch, Access::kOut},
          {"patch_cov", DType::kF64, patch * patch, Access::kOut}};
}
double Stem3dForward::flops() const {
  return conv_flops() + as_double(geometry.pooled() * geometry.pool_taps());
}
double Stem3dForward::sum_length() const {
  return as_double(geometry.batch * geometry.conv_volume());
}

std::string stem_needs_two_values(const Stem3dForward& op) {
  return op.geometry.batch * op.geometry.conv_volume() >= 2
             ? ""
             : "it needs at least two values per channel to train";
}

std::vector<BufferSpec> Stem3dInference::buffers() const {
  return {of_x(),
          of_w("w", Access::kIn),
          of_channels("gamma", Access::kIn),
          of_channels("beta", Access::kIn),
          of_channels("running_mean", Access::kIn),
          of_channels("running_var", Access::kIn, Fill::kPositive),
          of_y("y", Access::kOut)};
}
double Stem3dInference::flops() const {
  return conv_flops() + as_double(geometry.pooled() * geometry.pool_taps());
}
double Stem3dInference::sum_length() const {
  return as_double(std::max<std::int64_t>(1, geometry.patch()));
}

std::vector<BufferSpec> Stem3dBackward::buffers() const {
  const std::int64_t patch = geometry.patch();
  return {of_y("dy", Access::kIn),
          of_x(),
          of_w("w", Access::kIn),
          of_channels("gamma", Access::kIn),
          of_channels("mean", Access::kIn),
          of_channels("invstd", Access::kIn, Fill::kPositive),
          {"winner", DType::kI32, geometry.winner_words(), Access::kIn},
          {"patch_mean", DType::kF64, patch, Access::kIn},
          {"patch_cov", DType::kF64, patch * patch, Access::kIn},
          of_w("dw", Access::kOut),
          of_channels("dgamma", Access::kOut),
          of_channels("dbeta", Access::kOut)};
}
double Stem3dBackward::flops() const {
  return conv_flops();
}
double Stem3dBackward::sum_length() const {
  return as_double(geometry.batch * geometry.conv_volume());
}

}  // namespace umbra
