// Lesson 7: convolution in one, two and three dimensions, its gradients, and the weights that never learn.
#include "tools/learn/common/lesson.h"

#include "engine/ops/conv/shapes.h"
#include "models/um_resnet.h"
#include "tools/learn/07_convolution/exercises.h"
#include "tools/learn/common/convolution.h"

namespace umbra::learn {
namespace {

struct Teacher {
  std::int64_t channels = 200, voxels = 25, seed = 1;
  double noise = 0.1;
  std::vector<Setting> settings() {
    return {{"channels", "channels C of the UM ResNet whose taps are counted", &channels, 1, 400},
            {"voxels", "grid points per side of its input", &voxels, 5, 64},
            {"noise", "standard deviation of the noise of the image", &noise, 0, 2},
            {"seed", "of the random numbers", &seed, 0, 1000000}};
  }

  Registry registry = make_registry();
  Context context{registry, Device{}};
  Problem problem(const ConvGeometry& g) const {
    return {normal_numbers(g.batch * g.in_channels * g.in_volume(), seed, 1),
            normal_numbers(g.out_channels * g.in_channels * g.taps(), seed, 2),
            normal_numbers(g.batch * g.out_channels * g.out_volume(), seed, 3)};
  }
  // The output for one sample and one channel.
  Numbers filtered(const ConvGeometry& g, const Numbers& x, const Numbers& w) {
    return by_engine(context, g, {x, w, Numbers(static_cast<std::size_t>(g.out_volume()))}).y;
  }

  void teach(Lesson& lesson) {
    one_dimension(lesson);
    two_dimensions(lesson);
    gradients(lesson);
    count_taps(lesson);
    prove_by_gradients(lesson);
    prove_by_changes(lesson);
  }
  void one_dimension(Lesson& lesson);
  void two_dimensions(Lesson& lesson);
  void gradients(Lesson& lesson);
  void count_taps(Lesson& lesson);
  void prove_by_gradients(Lesson& lesson);
  void prove_by_changes(Lesson& lesson);
};

void Teacher::one_dimension(Lesson& lesson) {
  lesson.heading("One dimension");
  const auto line = [](std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding) {
    return ConvGeometry{1, 1, 1, {1, 1, size}, {1, 1, taps}, {1, 1, stride}, {0, 0, padding}};
  };
  const Numbers x{0, 0, 0, 1, 1, 1, 1, 0, 0, 3, 0, 0}, w{-1, 0, 1}, y = convolve(x, w, 1, 1);
  lesson.record("line/x", x);
  lesson.record("line/y", y);
  lesson.claim("convolve() gives the engine's numbers", filtered(line(12, 3, 1, 1), x, w) == y);
  Numbers product(12);
  for (std::size_t i = 0; i < 12; ++i) {
    Numbers one(12);
    one[i] = 1;
    const Numbers column = convolve(one, w, 1, 1);  // of the matrix
    for (std::size_t o = 0; o < 12; ++o) product[o] += column[o] * x[i];
  }
  lesson.claim("and so does a matrix of 144 numbers made of the 3 weights", product == y);
  const Numbers before = normal_numbers(40, seed, 4), kernel = normal_numbers(5, seed, 5);
  Numbers after(before);  // moved by 2, with two other numbers at the front
  std::rotate(after.begin(), after.end() - 2, after.end());
  for (const std::int64_t stride : {1, 2}) {
    const ConvGeometry g = line(40, 5, stride, 0);
    const Numbers out = filtered(g, before, kernel), moved = filtered(g, after, kernel);
    lesson.claim(
        concat("stride ", stride, ": moving the input by 2 moves the output by ", 2 / stride, ", bit by bit"),
        std::equal(moved.begin() + 2 / stride, moved.end(), out.begin()));
  }
}

void Teacher::two_dimensions(Lesson& lesson) {
  lesson.heading("Two dimensions");
  const std::int64_t side = 32, row = 22, column = 21;
  const auto bell = [](auto y, auto x) { return std::exp(-static_cast<double>(y * y + x * x) / 4.5); };
  Numbers image = normal_numbers(side * side, seed, 6), blob;
  for (std::int64_t i = 0; i < side * side; ++i) {
    const std::int64_t y = i / side, x = i % side;
    const double square = y >= 5 && y < 13 && x >= 5 && x < 13 ? 0.5 : 0;
    image.data()[i] = noise * image.data()[i] + square + bell(y - row, x - column);
  }
  double mean = 0;
  for (std::int64_t i = 0; i < 81; ++i) blob.push_back(bell(i / 9 - 4, i % 9 - 4)), mean += blob.back() / 81;
  for (double& v : blob) v -= mean;  // the sum becomes 0: a constant image gives 0
  const Numbers edges =
      filtered(conv_on_square(1, 1, 1, side, 3, 1, 1), image, {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  const Numbers blobs = filtered(conv_on_square(1, 1, 1, side, 9, 1, 4), image, blob);
  const std::int64_t best = std::max_element(blobs.begin(), blobs.end()) - blobs.begin();
  lesson.claim(
      concat("the blob filter is largest at ", best / side, ", ", best % side, ", the blob's centre"),
      best == row * side + column);
  Figure figure("", {"pixels", false, -1, 101}, {"pixels", false, 47, -15});
  double at = 0;
  for (const auto& [name, values] :
       {std::pair("image", image), {"edge filter", edges}, {"blob filter", blobs}}) {
    std::vector<Numbers> rows;
    for (auto v = values.begin(); v != values.end(); v += side) rows.emplace_back(v, v + side);
    figure.map(rows, at, at + 32, 0, 32).text(at + 8, -3, name);
    at += 34;
  }
  lesson.figure(
      "image", figure,
      "A noisy image with a square and a blob; the edge filter, dark at the square's left side and light at "
      "its right side; the blob filter, darkest at the blob.");
}

void Teacher::gradients(Lesson& lesson) {
  lesson.heading("Three dimensions, and backward");
  const ConvGeometry g{2, 3, 4, {5, 5, 5}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};
  const Problem p = problem(g);
  const Solution hand = by_hand(g, p), f64 = by_engine(context, g, p);
  const Numbers f32 = by_engine(context, g, p, DType::kF32).y;
  Numbers bound(hand.y.size());  // of a sum of n rounded products of rounded factors: (n + 2) 2^-24 sum |w x|
  for_each_product(g, [&](auto ix, auto iw, auto iy) {
    bound.data()[iy] += (81 + 2) * 0x1p-24 * std::abs(p.w.data()[iw] * p.x.data()[ix]);
  });
  double share = 0;
  for (std::size_t i = 0; i < bound.size(); ++i)
    share = std::max(share, std::abs(f32[i] - hand.y[i]) / bound[i]);
  lesson.claim_less("forward in f32: largest error, as a share of its bound", share, 1);
  const auto same = [&](const char* text, const Numbers& a, const Numbers& b) {
    lesson.claim_less(text, largest_difference(a, b), 1e-13);
  };
  same("forward in f64: the engine minus the loop", hand.y, f64.y);
  same("dx: the transposed convolution of dy minus the tape", hand.dx, f64.dx);
  same("dw: the correlation of x and dy minus the tape", hand.dw, f64.dw);
  const ConvGeometry one = conv_on_cube(1, 1, 1, 5, 3, 1, 0), back = conv_on_cube(1, 1, 1, 3, 3, 1, 2);
  const Problem q = problem(one);
  same("stride 1: dx minus the convolution of dy with the flipped kernel, padding k - 1 - p",
       by_engine(context, one, q).dx, filtered(back, q.dy, {q.w.rbegin(), q.w.rend()}));
}

// The convolutions of the UM ResNet, from the shapes of its weights and from how many of them it stores.
void Teacher::count_taps(Lesson& lesson) {
  lesson.heading("The UM ResNet");
  Build build{.learns = false};  // stores live weights only and draws no values: the memory is never touched
  const UmResNet network(build, {.channels = channels, .voxels = voxels});
  std::int64_t all = 0, stored = 0, side = voxels, block = voxels;  // per axis, the block's
  const auto d = [](auto number) { return static_cast<double>(number); };
  double padded = 0, useful = 0;  // operations for a batch of 32
  bool equal = true;
  std::vector<Numbers> rows;
  std::vector<std::string> names;
  Numbers numbers, shares;
  for (const Parameter& p : network.parameters()) {
    const Shape& shape = p.value().shape();
    all += shape.count(), stored += p.value().count();
    if (shape.rank() != 5) continue;
    const auto named = [&](const char* part) { return p.name.find(part) != std::string::npos; };
    const bool first = rows.empty();
    if (named("conv1")) block = side;
    const std::int64_t in = named("downsample") ? block : side, padding = first ? 3 : shape[2] / 2;
    const std::int64_t stride = first || (named(".0.") && !named("conv2")) ? 2 : 1, weights = shape.count();
    const std::int64_t live = p.value().count() / (shape[0] * shape[1]), dead = weights - p.value().count();
    const ConvGeometry g = conv_on_cube(32, shape[1], shape[0], in, shape[2], stride, padding);
    equal = equal && live == live_taps(in, shape[2], stride, padding);
    side = first ? output_size(g.out(0), 3, 2, 1) : g.out(0);  // after the max-pool
    padded += 64 * d(weights * g.out_volume());
    useful += ConvFprop(DType::kF32, g).flops();
    names.push_back(p.name.substr(0, p.name.rfind('.')));
    lesson.say("  %-21s %2td³ to %2td³: %2td of %2td taps are live, %8td of %8td weights are dead",
               names.back().c_str(), in, g.out(0), live, g.taps(), dead, weights);
    rows.push_back({d(in), d(g.out(0)), d(shape[2]), d(stride), d(padding), d(live), d(dead), d(weights)});
    numbers.push_back(d(names.size()));
    shares.push_back(d(live) / d(g.taps()));
  }
  lesson.record("layers", rows);
  lesson.record_words("names", names);
  lesson.record("parameters", {d(all), d(all - stored), 100 * d(all - stored) / d(all)});
  lesson.record("gflop", {padded * 1e-9, useful * 1e-9});
  lesson.claim("live_taps() is the number of taps that the engine stores, in every layer", equal);
  lesson.claim(concat("of ", all, " parameters ", all - stored, " never learn: 1400 C²"),
               all - stored == 1400 * channels * channels && (channels != 200 || all == 80663762));
  lesson.figure(
      "layers", Figure("", {"convolution"}, {"live share of its taps"}).bars("", numbers, shares),
      "Bars: every tap is live up to the last four kernels of 3³ taps, where 8, 1, 1 and 1 of 27 are.");
}

// Padding written into memory makes every tap an ordinary one: the tape computes the gradients of all 27.
void Teacher::prove_by_gradients(Lesson& lesson) {
  Figure figure("", {"planes of depth 0, 1 and 2 of a kernel", false, -1, 16}, {"", false, 12, -1});
  std::vector<Numbers> map(11, Numbers(11, NAN));  // a row of three planes for every kernel
  std::size_t top = 0;
  for (const auto& [size, stride] : {std::pair(4, 1), {2, 2}, {1, 1}}) {
    const ConvGeometry g = conv_on_cube(2, 2, 3, size, 3, stride, 1);
    const ConvGeometry crop =
        conv_on_cube(4, 1, 1, size + 2, 3, 1, 0);  // with 1 at the middle tap: the inside
    Problem p = problem(g), inside{Numbers(static_cast<std::size_t>(4 * crop.in_volume())), Numbers(27), p.x};
    inside.w[13] = 1;
    const Numbers dw = by_engine(context, g, p).dw;
    p.x = by_hand(crop, inside).dx;  // its transpose puts zeros around
    const Numbers dense = by_engine(context, conv_on_cube(2, 2, 3, size + 2, 3, stride, 0), p).dw;
    Numbers sums(27);
    for (std::size_t i = 0; i < dense.size(); ++i) sums[i % 27] += std::abs(dense[i]);
    const double most = *std::max_element(sums.begin(), sums.end());
    for (std::size_t t = 0; t < 27; ++t) map[top + t / 3 % 3][t / 9 * 4 + t % 3] = sums[t] / most;
    const std::int64_t zeros = std::count(sums.begin(), sums.end(), 0.0);
    lesson.claim(concat(size, "³ to ", g.out(0), "³: the gradients of ", zeros, " taps are exactly 0"),
                 27 - zeros == g.live_taps() && largest_difference(dense, dw) < 1e-12);
    figure.text(12, static_cast<double>(top) + 1.7, concat(size, "³ to ", g.out(0), "³"));
    top += 4;
  }
  lesson.figure(
      "taps", figure.map(map, 0, 11, 0, 11),
      "The taps of three kernels, each as three planes of 3 by 3, darker where the gradient is larger. It is 0 at no "
      "tap on 4³, except in a corner of 2 by 2 by 2 from 2³ to 1³, and except in the middle on 1³.");
}

void Teacher::prove_by_changes(Lesson& lesson) {
  Build build{.seed = static_cast<std::uint64_t>(seed)};
  UmResNet network(build, {.channels = 4, .voxels = voxels});
  const Var x = leaf(context, normal_numbers(16 * voxels * voxels * voxels, seed, 7),
                     {16, 1, voxels, voxels, voxels}, DType::kF32);
  const auto output = [&] {
    Pass pass{context, nullptr, true};
    return to_host(network.forward(pass, constant(x->value))->value, context.stream);
  };
  const Numbers before = output();
  std::int64_t layers = 0, changed = 0;
  for (const Parameter& p : network.parameters()) {
    if (p.value().shape().rank() != 5) continue;
    const std::span<float> weights = p.value().values<float>();  // in memory the dead ones come last
    const auto live = static_cast<std::size_t>(p.var->grad_layout.stored(p.value().shape()));
    for (float& dead : weights.subspan(live)) dead += 1000;
    const float old = std::exchange(weights[live / 2], 2.0F);
    ++layers, changed += output() != before ? 1 : 0;
    weights[live / 2] = old;
  }
  lesson.claim(concat("one live weight set to 2 changes the output, in ", changed, " of ", layers, " layers"),
               changed == layers);
  lesson.claim("1000 added to all dead weights: the output has the same bits", output() == before);
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Teacher teacher;
  return run_lesson(argc, argv, "07_convolution", teacher.settings(), [&](Lesson& l) { teacher.teach(l); });
}
