// Lesson 9: stochastic gradient descent is a random walk with drift.
#include "tools/learn/common/lesson.h"

#include "models/mlp.h"
#include "tools/learn/09_sgd/exercises.h"
#include "tools/learn/common/box_gradients.h"
#include "tools/learn/common/fit.h"
#include "tools/learn/common/numbers.h"

namespace umbra::learn {
namespace {

using Matrix = std::vector<Numbers>;  // rows
using Batch = std::vector<std::int64_t>;

struct Options {
  double lr = 0.05, momentum = 0.9;
  std::int64_t batch = 8, steps = 400, training_steps = 100, draws = 4096, seed = 1;
  Rng rng{1, Purpose::kTest};
};

// Indices below `bound`, drawn with replacement.
Batch draw(const Rng& rng, std::int64_t count, std::int64_t bound) {
  Batch batch;
  for (std::int64_t i = 0; i < count; ++i) batch.push_back(static_cast<std::int64_t>(rng.below(i, bound)));
  return batch;
}

void show_noise(Lesson& lesson, const Options& o) {
  lesson.heading("The gradient of a minibatch: UM ResNet on boxes of a mock universe");
  BoxGradients boxes(250, 4, o.rng.seed());
  for (int t = 0; t < o.training_steps; ++t) boxes.train(draw(o.rng.stream(t), 32, boxes.count()), 0.01);
  Numbers full, single;  // the full gradient, and |gradient| of every box
  for (std::int64_t i = 0; i < boxes.count(); ++i) {
    const Numbers one = boxes.gradient(Batch{i});
    full.resize(one.size());
    for (std::size_t k = 0; k < one.size(); ++k) full[k] += one[k] / static_cast<double>(boxes.count());
    single.push_back(std::sqrt(squared_norm(one)));
  }
  std::sort(single.rbegin(), single.rend());
  const double signal = std::sqrt(squared_norm(full)), square = squared_norm(single);
  const double variance = square / static_cast<double>(boxes.count()) - signal * signal;
  const Batch all = draw(o.rng.stream(1 << 20), o.draws, boxes.count());
  Numbers sizes, rms, theory;
  for (std::int64_t b = 8; b <= 256; b *= 2) {
    double sum = 0;
    for (std::int64_t at = 0; at + b <= o.draws; at += b)
      sum += squared_distance(boxes.gradient(std::span(all).subspan(at, b)), full);
    sizes.push_back(static_cast<double>(b));
    rms.push_back(std::sqrt(sum / static_cast<double>(o.draws / b)));
    theory.push_back(std::sqrt(variance / sizes.back()));
    lesson.say("  b = %3.0f: r.m.s. deviation %6.1f, from single boxes %6.1f; noise / signal %.2f",
               sizes.back(), rms.back(), theory.back(), rms.back() / signal);
  }
  const double scale = variance / signal / signal;
  lesson.say("  size of the full gradient %.1f; the noise is as large at b = %.1f", signal, scale);
  lesson.claim_near("log-log slope of the deviation against b", log_log_slope(sizes, rms), -0.5, 0.05);
  lesson.claim_near("deviation at b = 8, over the prediction from single boxes", rms[0] / theory[0], 1, 0.1);
  lesson.record("noise/b_rms_theory", {sizes, rms, theory});
  lesson.record("noise/ten_largest", squared_norm({single.begin(), single.begin() + 10}) / square);
  lesson.record("noise/signal", signal);
  lesson.record("noise/scale", scale);
  lesson.record("noise/slope", log_log_slope(sizes, rms));
  lesson.record("noise/weights", static_cast<double>(full.size()));
  const Figure figure = Figure("Gradient noise of the UM ResNet", {"boxes in a minibatch, b", true},
                               {"deviation from the full gradient", true, 10, 1000})
                            .points("measured", sizes, rms)
                            .theory("single boxes, over √b", sizes, theory)
                            .line("size of the full gradient", {8, 256}, {signal, signal});
  lesson.figure("noise", figure, "The deviation falls as one over √b, and below the full gradient.");
}

// SGD on the mean of (w - y)²/2 over numbers y of the given variance: the drift is that of the mean, the noise that of b numbers.
struct Walk {
  double lr, momentum, batch, measured = 0;  // the variance of w around the minimum
  double theory(double variance) const {
    return lr * variance / batch * (1 + momentum) / ((1 - momentum) * (2 * (1 + momentum) - lr));
  }
};

void show_diffusion(Lesson& lesson, const Options& o) {
  lesson.heading("Drift and diffusion: the mean of 1000 numbers by SGD");
  const Numbers y = normal_numbers(1000, static_cast<std::int64_t>(o.rng.seed()), 0);
  double mean = 0, variance = 0, worst = 0;
  for (const double each : y) mean += each / 1000;
  for (const double each : y) variance += (each - mean) * (each - mean) / 1000;
  std::vector<Walk> walks;
  for (const double b : {1, 8, 32})
    for (const double lr : {0.02, 0.05, 0.1, 0.2, 0.5, 1.0}) walks.push_back({lr, 0, b});
  for (const double momentum : {0.5, 0.8, 0.9}) walks.push_back({0.1 * (1 - momentum), momentum, 8});
  std::uint64_t draws = 0;
  Matrix rows;
  for (Walk& walk : walks) {
    const double effective = walk.lr / (1 - walk.momentum), steps = std::floor(4000 / effective);
    double w = 0, velocity = 0;
    for (double step = -std::floor(20 / effective); step < steps; ++step) {  // step 0: the start is forgotten
      double batch_mean = 0;
      for (double i = 0; i < walk.batch; ++i) batch_mean += y[o.rng.below(draws++, 1000)] / walk.batch;
      w = momentum_step(w, velocity, w - batch_mean, walk.lr, walk.momentum);
      if (step >= 0) walk.measured += (w - mean) * (w - mean) / steps;
    }
    worst = std::max(worst, std::abs(walk.measured / walk.theory(variance) - 1));
    rows.push_back({walk.lr, walk.momentum, walk.batch, walk.measured, walk.theory(variance)});
    const Numbers& row = rows.back();
    lesson.say("  lr %.2f, momentum %.1f, b %2.0f: variance %.6f, theory %.6f", row[0], row[1], row[2],
               row[3], row[4]);
  }
  lesson.claim_less("largest relative error of the theory", worst, 0.1);
  lesson.record("diffusion/walks", rows);
  Figure figure("SGD around the minimum", {"learning rate", true}, {"variance of w", true, 1e-4, 20});
  for (std::size_t k = 0; k < 18; k += 6) {
    Numbers lr, measured, theory;
    for (std::size_t i = k; i < k + 6; ++i)
      lr.push_back(rows[i][0]), measured.push_back(rows[i][3]), theory.push_back(rows[i][4]);
    figure.points(concat("b = ", rows[k][2]), lr, measured).theory("", lr, theory);
  }
  lesson.figure("diffusion", figure, "The variance grows with the rate and falls as 1/b, as in theory.");
  double w = 0, sum = 0;  // the rate 1/t
  for (int t = 1; t <= 100000; ++t) {
    const double each = y[o.rng.below(draws++, 1000)];
    w -= (w - each) / t;
    sum += each;
  }
  lesson.claim_less("rate 1/t: distance of w from the mean of all draws", std::abs(w - sum / 1e5), 1e-12);
  lesson.record("diffusion/averaged", std::abs(w - mean));
}

// The path of an optimiser: by its formula, which is an exercise, or by umbra's optimiser.
enum Kind { kSgd, kMomentum, kAdam };
const std::string kNames[] = {"sgd", "momentum", "adam"};
std::vector<Line> path_of(const Valley& valley, Kind kind, const Options& o,
                          const std::vector<Batch>& batches, bool by_umbra) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const double momentum = kind == kSgd ? 0 : o.momentum;
  const Parameter p{"w", leaf(context, {Valley::kStart.begin(), Valley::kStart.end()}, {2}, DType::kF64)};
  const auto optimizer = kind == kAdam ? make_adam({p}, {}) : make_sgd({p}, {.momentum = momentum});
  std::vector<Line> path{Valley::kStart};
  Line w = path[0], velocity{};
  std::array<Moments, 2> moments;
  for (const Batch& batch : batches) {
    const Line gradient = minibatch_gradient(w, valley.x, valley.y, batch);
    const double lr = std::hypot(w[0], w[1]) < 1e6 ? o.lr : 0;  // a path that diverges ends
    if (by_umbra) {
      p.grad() = leaf(context, {gradient.begin(), gradient.end()}, {2}, DType::kF64)->value;
      optimizer->step(context, lr);
      w = {p.value().values<double>()[0], p.value().values<double>()[1]};
    } else {
      for (std::size_t i = 0; i < 2; ++i)
        w[i] = kind == kAdam ? adam_step(w[i], moments[i], gradient[i], lr)
                             : momentum_step(w[i], velocity[i], gradient[i], lr, momentum);
    }
    path.push_back(w);
  }
  return path;
}

void show_valley(Lesson& lesson, const Options& o) {
  const Valley valley(o.rng);
  const auto [steep, flat] = valley.curvatures();
  lesson.heading("SGD, momentum and Adam in a valley");
  lesson.say("  curvatures %.3f and %.4f, ratio %.0f", steep, flat, steep / flat);
  std::vector<Batch> batches, in_order(static_cast<std::size_t>(o.steps));
  Numbers indices, late;
  for (std::int64_t step = 0; step < o.steps; ++step) {
    batches.push_back(draw(o.rng.stream(1 + step), o.batch, Valley::kPoints));
    indices.insert(indices.end(), batches.back().begin(), batches.back().end());
    for (std::int64_t i = 0; i < o.batch; ++i)
      in_order[step].push_back((step * o.batch + i) % Valley::kPoints);
  }
  Figure figure("Paths of three optimisers", {"w0", false, -3, 3}, {"w1", false, -0.5, 2.5});
  for (const Kind kind : {kSgd, kMomentum, kAdam}) {
    const auto path = path_of(valley, kind, o, batches, false);
    const Matrix ours = columns(path), theirs = columns(path_of(valley, kind, o, batches, true));
    for (const std::size_t k : {0, 1})
      lesson.claim_less(concat(kNames[kind], ", w", k, ": formula against umbra's optimiser"),
                        largest_difference(ours[k], theirs[k]), 1e-12);
    const Numbers first{ours[0][1] - ours[0][0], ours[1][1] - ours[1][0]};
    late.push_back(valley.late_excess(path));
    lesson.say("    first step %.4f, %.4f; late mean excess loss %.4g", first[0], first[1], late.back());
    lesson.record("valley/" + kNames[kind], ours);
    lesson.record("valley/late_" + kNames[kind], late.back());
    lesson.record("valley/first_" + kNames[kind], first);
    figure.line(kNames[kind], ours[0], ours[1]);
    if (kind == kAdam)
      lesson.claim_less("Adam's first step, against lr", largest_difference(first, {-o.lr, -o.lr}), 1e-6);
  }
  lesson.figure("paths", figure, "SGD zigzags slowly; momentum is fast and noisy; Adam is smooth.");
  const double ordered = valley.late_excess(path_of(valley, kSgd, o, in_order, false));
  lesson.say("  SGD, batches in the order of x: late mean excess loss %.4g, not %.4g", ordered, late[kSgd]);
  lesson.claim("points in the order of x cost more than points at random", ordered > late[kSgd]);
  lesson.record("valley/late_in_order", ordered);
  lesson.record("valley/points", {valley.x, valley.y});
  lesson.record("valley/minimum", Numbers(valley.minimum.begin(), valley.minimum.end()));
  lesson.record("valley/curvatures", Numbers{steep, flat});
  lesson.record("valley/batches", indices, {o.steps, o.batch});
}

// With model.eval() inside the loop, all batches but the first run in evaluation mode. Returns the number of batches in
// the running means of batch norm, and how far these moved after the first.
Line train_mlp(const Options& o, bool eval_inside) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build;
  Mlp net(build, {.hidden = {32}, .dropout = 0.2, .inputs = 4});
  const auto adam = make_adam(net.parameters(), {});
  const auto buffers = net.buffers();  // bn1: running_mean, running_var, num_batches_tracked
  Numbers first;
  for (std::uint64_t step = 0; step < 100; ++step) {
    Numbers x = normal_numbers(128, static_cast<std::int64_t>(o.rng.seed()), step), y;
    for (double& each : x) each += 2;
    for (std::size_t i = 0; i < 128; i += 4) y.push_back(x[i] * x[i + 1] - x[i + 2]);
    Tape tape(context);
    Pass pass{context, &tape, /*training=*/!eval_inside || step == 0};
    const Var prediction = net.forward(pass, constant(leaf(context, x, {32, 4}, DType::kF32)->value));
    tape.backward(mean_squared_error(pass, prediction, leaf(context, y, {32, 1}, DType::kF32)->value));
    adam->step(context, 0.01);
    if (step == 0) first = to_host(buffers[0].tensor, context.stream);
  }
  return {to_host(buffers[2].tensor, context.stream)[0],
          std::sqrt(squared_distance(to_host(buffers[0].tensor, context.stream), first))};
}

void show_slip(Lesson& lesson, const Options& o) {
  lesson.heading("model.eval() inside the loop over batches, as on the slide");
  const Line before = train_mlp(o, false), inside = train_mlp(o, true);
  for (const Line& found : {before, inside})
    lesson.say("  %3.0f batches in the running means; moved by %.2f after the first", found[0], found[1]);
  lesson.claim("outside the loop, all batches count", before[0] == 100 && before[1] > 0);
  lesson.claim("inside the loop, the running means stop after one batch", inside[0] == 1 && inside[1] == 0);
  lesson.record("slip/batches_moved", {{before[0], before[1]}, {inside[0], inside[1]}});
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  umbra::learn::Options o;
  const std::vector<umbra::Setting> settings = {
      {"lr", "learning rate in the valley", &o.lr, 1e-6, 10},
      {"momentum", "of SGD with momentum, in the valley", &o.momentum, 0, 0.999},
      {"batch", "points of a minibatch, in the valley", &o.batch, 1, 200},
      {"training_steps", "of the UM ResNet before its gradients are measured", &o.training_steps, 1, 2000},
      {"seed", "of the data and the draws", &o.seed, 0, 1e9}};
  return umbra::learn::run_lesson(argc, argv, "09_sgd", settings, [&](umbra::learn::Lesson& lesson) {
    o.rng = umbra::Rng(static_cast<std::uint64_t>(o.seed), umbra::Purpose::kTest);
    using namespace umbra::learn;
    for (const auto show : {show_noise, show_diffusion, show_valley, show_slip}) show(lesson, o);
  });
}
