// The convolution: its tap lists against the dense definition, its layouts against numbers worked out by hand
// and against PyTorch's order, its derivatives against one another (adjoint identities, dual numbers), and
// its live taps.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "engine/base/dual.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/conv/taps.h"
#include "engine/ops/ladder.h"
#include "engine/runtime/storage.h"

namespace umbra {
namespace {

using PairSet = std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>>;  // (list, first, second)

// All pairs directly from the equation i = o * stride - padding + t * dilation.
PairSet dense_pairs(const ConvGeometry& g, TapOrder order) {
  PairSet pairs;
  const Triple out = g.out(), &in = g.in, &kernel = g.kernel;
  for (std::int64_t o = 0; o < g.out_volume(); ++o) {
    for (std::int64_t t = 0; t < g.taps(); ++t) {
      const Triple at{o / (out[1] * out[2]), o / out[2] % out[1], o % out[2]};
      const Triple tap{t / (kernel[1] * kernel[2]), t / kernel[2] % kernel[1], t % kernel[2]};
      std::int64_t i = 0;
      bool inside = true;
      for (std::size_t a = 0; a < 3; ++a) {
        const std::int64_t x = at[a] * g.stride[a] + tap[a] * g.dilation[a] - g.padding[a];
        inside = inside && x >= 0 && x < in[a];
        i = i * in[a] + x;
      }
      if (!inside) continue;
      if (order == TapOrder::kByOutput) pairs.insert({o, t, i});
      if (order == TapOrder::kByInput) pairs.insert({i, t, o});
      if (order == TapOrder::kByTap) pairs.insert({t, o, i});
    }
  }
  return pairs;
}

// The lists whose taps are numbered among the live ones contain the same pairs.
void expect_live_lists_match(const ConvGeometry& g, TapOrder order, const PairSet& expected,
                             const std::vector<std::int32_t>& live_taps) {
  std::vector<std::int32_t> slots(static_cast<std::size_t>(g.taps()), -7);
  std::vector<std::int32_t> begin(static_cast<std::size_t>(tap_list_count(g, order)) + 1, -7);
  std::vector<TapEntry> entries(expected.size());
  write_live_tap_lists(g, order, slots, begin, entries);
  const bool by_tap = order == TapOrder::kByTap;
  const std::size_t lists = by_tap ? live_taps.size() : begin.size() - 1;
  ASSERT_EQ(begin[0], 0);
  auto next = expected.begin();
  for (std::size_t list = 0; list < lists; ++list) {
    for (std::int32_t e = begin[list]; e < begin[list + 1]; ++e, ++next) {
      const TapEntry entry = entries[static_cast<std::size_t>(e)];
      const std::int64_t dense_list = by_tap ? live_taps[list] : static_cast<std::int64_t>(list);
      const std::int64_t first = by_tap ? entry.first : live_taps.at(static_cast<std::size_t>(entry.first));
      ASSERT_EQ(*next, std::make_tuple(dense_list, first, static_cast<std::int64_t>(entry.second)));
    }
  }
  ASSERT_TRUE(next == expected.end());
}

void expect_lists_match(const ConvGeometry& g) {
  SCOPED_TRACE(g.text());
  std::set<std::int64_t> outputs, taps, inputs;
  for (const TapOrder order : {TapOrder::kByOutput, TapOrder::kByInput, TapOrder::kByTap}) {
    const PairSet expected = dense_pairs(g, order);
    ASSERT_EQ(g.live_pairs(), static_cast<std::int64_t>(expected.size()));
    std::vector<std::int32_t> begin(static_cast<std::size_t>(tap_list_count(g, order)) + 1, -7);
    std::vector<TapEntry> entries(expected.size());
    write_tap_lists(g, order, begin, entries);
    ASSERT_EQ(begin.back(), static_cast<std::int32_t>(expected.size()));
    auto next = expected.begin();  // the set is sorted as the lists must be
    for (std::size_t list = 0; list + 1 < begin.size(); ++list) {
      for (std::int32_t e = begin[list]; e < begin[list + 1]; ++e, ++next) {
        const TapEntry entry = entries[static_cast<std::size_t>(e)];
        ASSERT_EQ(*next, std::make_tuple(static_cast<std::int64_t>(list), entry.first, entry.second));
        if (order != TapOrder::kByOutput) continue;
        outputs.insert(static_cast<std::int64_t>(list));
        taps.insert(entry.first);
        inputs.insert(entry.second);
      }
    }
  }
  const auto expect_numbering = [&](auto number, std::int64_t count, const std::set<std::int64_t>& live) {
    std::vector<std::int32_t> slots(static_cast<std::size_t>(count), -7);
    ASSERT_EQ(number(g, {}), static_cast<std::int64_t>(live.size()));
    ASSERT_EQ(number(g, slots), static_cast<std::int64_t>(live.size()));
    std::int32_t next = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(slots[static_cast<std::size_t>(i)], live.contains(i) ? next++ : -1);
    }
  };
  expect_numbering(number_live_outputs, g.out_volume(), outputs);
  expect_numbering(number_live_taps, g.taps(), taps);
  expect_numbering(number_live_inputs, g.in_volume(), inputs);
  EXPECT_EQ(g.live_taps(), static_cast<std::int64_t>(taps.size()));
  const std::vector<std::int32_t> live_taps(taps.begin(), taps.end());
  EXPECT_EQ(g.live_tap_list(), live_taps);
  for (const TapOrder order : {TapOrder::kByOutput, TapOrder::kByInput, TapOrder::kByTap}) {
    expect_live_lists_match(g, order, dense_pairs(g, order), live_taps);
  }
}

TEST(ConvTaps, ListsMatchTheDenseDefinitionOnEveryOddGeometry) {
  const std::int64_t extents[] = {1, 2, 3, 5}, kernels[] = {1, 2, 3, 5};
  for (const std::int64_t in : extents) {
    for (const std::int64_t kernel : kernels) {
      for (std::int64_t stride = 1; stride <= 3; ++stride) {
        for (std::int64_t padding = 0; padding <= 3; ++padding) {
          const ConvGeometry g{1, 1, 1, {2, in, 4}, {3, kernel, 2}, {1, stride, 2}, {1, padding, 0}};
          const ConvGeometry turned{
              1, 1, 1, {in, 1, in}, {kernel, 1, kernel}, {stride, 1, 1}, {padding, 1, padding}};
          if (in + 2 * padding < kernel) continue;
          expect_lists_match(g);
          expect_lists_match(turned);
          for (std::int64_t dilation = 2; dilation <= 4; ++dilation) {
            if (in + 2 * padding <= dilation * (kernel - 1)) continue;
            ConvGeometry dilated = g, both = turned;
            dilated.dilation = {1, dilation, 3};
            both.dilation = {dilation, 5, dilation};
            expect_lists_match(dilated);
            expect_lists_match(both);
          }
        }
      }
    }
  }
  for (const ConvGeometry& g : um_resnet_convolutions(1, 1)) expect_lists_match(g);
  for (const ConvGeometry& g : dilated_and_grouped_convolutions()) expect_lists_match(g);
}

TEST(ConvGeometry, CountsOfTheUmResNet) {
  const std::int64_t pairs[] = {50653, 1331, 64, 1000, 125, 8, 64, 8, 1, 1};
  const std::int64_t taps[] = {27, 27, 1, 27, 27, 1, 27, 8, 1, 1};
  const std::vector<ConvGeometry> layers = um_resnet_convolutions(32, 200);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i].live_pairs(), pairs[i]) << layers[i].text();
    EXPECT_EQ(layers[i].live_taps(), taps[i]) << layers[i].text();
  }
  EXPECT_EQ(ConvFprop(DType::kF32, layers[3]).flops(), 2.0 * 32 * 200 * 200 * 1000);
}

TEST(ConvGeometry, RefusesImpossibleGeometriesInASentence) {
  EXPECT_NO_THROW(conv_on_cube(1, 1, 1, 1, 3, 1, 1).check());
  EXPECT_THROW(conv_on_cube(1, 1, 1, 2, 3, 1, 0).check(), Error);
  EXPECT_THROW(conv_on_cube(0, 1, 1, 2, 1, 1, 0).check(), Error);
  EXPECT_THROW(conv_on_cube(1, -1, 1, 2, 1, 1, 0).check(), Error);
  EXPECT_THROW(conv_on_cube(1, 1, 1, 2, 1, 0, 0).check(), Error);
  EXPECT_THROW(conv_on_cube(1, 1, 1, 2, 1, 1, -1).check(), Error);
}

TEST(ConvReference, KnownNumbers) {
  const ConvGeometry g{1, 1, 1, {1, 1, 3}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}};  // 3 numbers, 2 taps, padding 1
  const double x[] = {1, 2, 3}, w[] = {10, 1};
  double y[4];
  conv_fprop_reference(g, x, w, y);
  EXPECT_EQ(std::vector<double>(y, y + 4), (std::vector<double>{1, 12, 23, 30}));
  const double dy[] = {1, 1, 0, 2};
  double dx[3], dw[2];
  conv_dgrad_reference(g, dy, w, dx);
  EXPECT_EQ(std::vector<double>(dx, dx + 3), (std::vector<double>{11, 1, 20}));
  conv_wgrad_reference(g, x, dy, dw);
  EXPECT_EQ(std::vector<double>(dw, dw + 2), (std::vector<double>{7, 3}));
}

// Two positions, two input channels, three outputs, two samples; of three taps with padding 1 and stride 2
// only the last two see data (output 0 is centred on input 0): the weight holds taps 1 and 2.
TEST(ConvReference, LayoutsByHand) {
  const ConvGeometry g{2, 2, 3, {1, 1, 2}, {1, 1, 3}, {1, 1, 2}, {0, 0, 1}};
  ASSERT_EQ(g.out_volume(), 1);
  ASSERT_EQ(g.live_tap_list(), (std::vector<std::int32_t>{1, 2}));
  const double x[] = {1, 10, 2, 20, 3, 30, 4, 40};             // [i][c][n]: sample 1 is ten times sample 0
  const double w[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};  // [t][c][k]
  double y[6];                                                 // [o][k][n]
  conv_fprop_reference(g, x, w, y);
  // y[k = 0] of sample 0 = 1 * 1 + 2 * 4 + 3 * 7 + 4 * 10
  EXPECT_EQ(std::vector<double>(y, y + 6), (std::vector<double>{70, 700, 80, 800, 90, 900}));
  const double dy[] = {1, 0, 0, 2, 0, 0};
  double dx[8], dw[12];
  conv_dgrad_reference(g, dy, w, dx);
  EXPECT_EQ(std::vector<double>(dx, dx + 8), (std::vector<double>{1, 4, 4, 10, 7, 16, 10, 22}));
  conv_wgrad_reference(g, x, dy, dw);
  EXPECT_EQ(std::vector<double>(dw, dw + 12), (std::vector<double>{1, 20, 0, 2, 40, 0, 3, 60, 0, 4, 80, 0}));
}

// The same convolution in PyTorch's order: x [N, Cin, D, H, W], w [Cout, Cin / groups, taps], every tap,
// bounds tested.
std::vector<double> fprop_in_torch_order(const ConvGeometry& g, const std::vector<double>& x,
                                         const std::vector<double>& w) {
  std::vector<double> y(static_cast<std::size_t>(g.batch * g.out_channels * g.out_volume()));
  const auto at = [](const std::vector<double>& v, std::int64_t i) { return v[static_cast<std::size_t>(i)]; };
  for (const auto& [o, t, i] : dense_pairs(g, TapOrder::kByOutput)) {
    for (std::int64_t n = 0; n < g.batch; ++n) {
      for (std::int64_t k = 0; k < g.out_channels; ++k) {
        const std::int64_t inputs = g.group_inputs(), first = k / g.group_outputs() * inputs;
        for (std::int64_t c = 0; c < inputs; ++c) {
          y[static_cast<std::size_t>((n * g.out_channels + k) * g.out_volume() + o)] +=
              at(x, (n * g.in_channels + first + c) * g.in_volume() + i) *
              at(w, (k * inputs + c) * g.taps() + t);
        }
      }
    }
  }
  return y;
}

std::vector<double> random_vector(std::int64_t count, std::uint64_t stream) {
  std::vector<double> v(static_cast<std::size_t>(count));
  const Rng rng(3, Purpose::kTest, stream);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = rng.normal(i);
  return v;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct Example {
  explicit Example(const ConvGeometry& g)
      : x(random_vector(g.batch * g.in_channels * g.in_volume(), 1)),
        w(random_vector(g.weights(), 2)),
        v(random_vector(g.batch * g.out_channels * g.out_volume(), 3)) {}
  std::vector<double> x, w, v;
};

std::vector<ConvGeometry> small_convolutions() {
  std::vector<ConvGeometry> list = nasty_convolutions();
  for (const ConvGeometry& g : um_resnet_convolutions(2, 3)) list.push_back(g);
  for (const ConvGeometry& g : dilated_and_grouped_convolutions()) list.push_back(g);
  return list;
}

TEST(ConvReference, AgreesWithTorchOrderAfterTurningTheAxes) {
  for (const ConvGeometry& g : small_convolutions()) {
    SCOPED_TRACE(g.text());
    const std::int64_t N = g.batch, C = g.in_channels, K = g.out_channels, I = g.in_volume(),
                       O = g.out_volume(), inputs = g.group_inputs();
    const std::vector<double> x = random_vector(N * C * I, 6), w = random_vector(K * inputs * g.taps(), 7);
    const std::vector<std::int32_t> live = g.live_tap_list();
    std::vector<double> turned_x(x.size()), turned_w, y(static_cast<std::size_t>(N * K * O));
    for (std::int64_t e = 0; e < N * C * I; ++e) {
      turned_x[static_cast<std::size_t>((e % I * C + e / I % C) * N + e / I / C)] =
          x[static_cast<std::size_t>(e)];
    }
    for (const std::int32_t t : live) {
      for (std::int64_t c = 0; c < inputs; ++c) {
        for (std::int64_t k = 0; k < K; ++k) {
          turned_w.push_back(w[static_cast<std::size_t>((k * inputs + c) * g.taps() + t)]);
        }
      }
    }
    conv_fprop_reference(g, turned_x.data(), turned_w.data(), y.data());
    const std::vector<double> expected = fprop_in_torch_order(g, x, w);
    double largest = 0;
    for (std::int64_t e = 0; e < N * K * O; ++e) {
      const double got = y[static_cast<std::size_t>((e % O * K + e / O % K) * N + e / O / K)];
      largest = std::max(largest, std::fabs(got - expected[static_cast<std::size_t>(e)]));
    }
    EXPECT_LE(largest, 1e-11);
  }
}

// y is linear in x and in w, so <y, v> = <x, dgrad(v, w)> = <w, wgrad(x, v)>.
TEST(ConvReference, AdjointIdentities) {
  for (const ConvGeometry& g : small_convolutions()) {
    SCOPED_TRACE(g.text());
    const Example e(g);
    std::vector<double> y(e.v.size()), dx(e.x.size()), dw(e.w.size());
    conv_fprop_reference(g, e.x.data(), e.w.data(), y.data());
    conv_dgrad_reference(g, e.v.data(), e.w.data(), dx.data());
    conv_wgrad_reference(g, e.x.data(), e.v.data(), dw.data());
    const double scale = std::sqrt(dot(y, y) * dot(e.v, e.v));
    EXPECT_LE(std::fabs(dot(y, e.v) - dot(e.x, dx)), 1e-12 * scale);
    EXPECT_LE(std::fabs(dot(y, e.v) - dot(e.w, dw)), 1e-12 * scale);
  }
}

// The derivative of fprop(x + eps p, w + eps q) is fprop(p, w) + fprop(x, q).
TEST(ConvReference, DualNumbersGiveTheDirectionalDerivative) {
  for (const ConvGeometry& g : small_convolutions()) {
    SCOPED_TRACE(g.text());
    const Example e(g);
    const std::vector<double> p = random_vector(static_cast<std::int64_t>(e.x.size()), 4);
    const std::vector<double> q = random_vector(static_cast<std::int64_t>(e.w.size()), 5);
    std::vector<Dual<double>> x, w, y(e.v.size());
    for (std::size_t i = 0; i < p.size(); ++i) x.emplace_back(e.x[i], p[i]);
    for (std::size_t i = 0; i < q.size(); ++i) w.emplace_back(e.w[i], q[i]);
    conv_fprop_reference(g, x.data(), w.data(), y.data());
    std::vector<double> from_x(y.size()), from_w(y.size());
    conv_fprop_reference(g, p.data(), e.w.data(), from_x.data());
    conv_fprop_reference(g, e.x.data(), q.data(), from_w.data());
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      largest = std::max(largest, std::fabs(y[i].derivative));
      error = std::max(error, std::fabs(y[i].derivative - (from_x[i] + from_w[i])));
    }
    EXPECT_LE(error, 1e-13 * largest);
  }
}

// The gauntlet runs every rung on every shape; this tests only what it cannot check.
std::vector<Kernel> fprop_rungs() {
  for (const Ladder& ladder : cpu_ladders()) {
    if (ladder.op == ConvFprop::kName) return ladder.kernels;
  }
  return {};
}

TEST(ConvRungs, DeadTapsAreNotInMemory) {
  const ConvGeometry g = conv_on_cube(32, 80, 80, 1, 3, 1, 1);  // only the centre of 27 taps sees data
  EXPECT_EQ(g.live_tap_list(), (std::vector<std::int32_t>{13}));
  EXPECT_EQ(ConvFprop(DType::kF32, g).buffers()[1].count, 80 * 80);
  EXPECT_EQ(ConvWgrad(DType::kF32, g).buffers()[2].count, 80 * 80);
}

TEST(ConvRungs, WithoutALiveTapTheOutputIsZeroAndTheWeightEmpty) {
  const ConvGeometry g = conv_on_cube(3, 2, 5, 1, 1, 2, 1);
  EXPECT_EQ(g.live_taps(), 0);
  EXPECT_TRUE(g.live_tap_list().empty());
  const ConvFprop op(DType::kF32, g);
  EXPECT_EQ(op.buffers()[1].count, 0);
  std::vector<float> x(6, 1.0f);
  Stream stream{Device{}};
  for (const Kernel& kernel : fprop_rungs()) {
    if (kernel.dtype != DType::kF32 || !kernel.declines(op).empty()) continue;
    std::vector<float> y(8 * 5 * 3, std::numeric_limits<float>::quiet_NaN());
    const std::shared_ptr<Storage> workspace = allocate_storage(Device{}, kernel.workspace(op));
    const std::vector<void*> buffers{x.data(), nullptr, y.data()};
    kernel.run(op, buffers, workspace->data(), stream);
    EXPECT_EQ(y, std::vector<float>(y.size(), 0.0f)) << kernel.rung;
  }
}

TEST(ConvRungs, TooManyPositionsAreDeclinedInWords) {
  const ConvFprop op(DType::kF32, conv_on_cube(1, 1, 1, 2000, 1, 1, 0));  // 8e9 positions
  for (const Kernel& kernel : fprop_rungs()) {
    if (kernel.rung == "reference") continue;
    EXPECT_NE(kernel.declines(op), "") << kernel.rung;
  }
}

}  // namespace
}  // namespace umbra
