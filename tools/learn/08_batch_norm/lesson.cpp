// Lesson 8: batch normalisation, forward and backward; what it does to weights, and its two modes.
#include "tools/learn/common/lesson.h"

#include "engine/optim/optimizer.h"
#include "tools/learn/08_batch_norm/exercises.h"
#include "tools/learn/common/dual_gradient.h"
#include "tools/learn/common/numbers.h"

namespace umbra::learn {
namespace {

constexpr double kMean = 3, kVariance = 4;  // of the values whose statistics are collected

struct Teacher {
  std::int64_t batch = 16, seed = 1;
  double momentum = 0.1, epsilon = 1e-5, factor = 3;
  std::vector<Setting> settings() {
    return {{"batch", "samples of a batch, for the running statistics", &batch, 2, 4096},
            {"momentum", "weight of a new batch in the running statistics", &momentum, 0, 1},
            {"epsilon", "added to the variance", &epsilon, 0, 10},
            {"factor", "by which the weights before the batch norm are multiplied", &factor, 0.01, 100},
            {"seed", "of the random numbers", &seed, 0, 1000000}};
  }

  Registry registry = make_registry();
  Context context{registry, Device{}};
  Numbers host(const Tensor& tensor) { return to_host(tensor, context.stream); }
  Var var(const Numbers& numbers, const Shape& shape) { return leaf(context, numbers, shape, DType::kF64); }
  BatchNormState state(const Numbers& mean, const Numbers& variance) {
    const auto tensor = [&](const Numbers& all) { return var(all, {std::ssize(all)})->value; };
    return {tensor(mean), tensor(variance), momentum, epsilon};
  }
  // The output of the engine for one channel with gamma 1 and beta 0; in training it updates `state`.
  Numbers normalised(const Numbers& x, const BatchNormState& state, bool training) {
    Pass pass{context, nullptr, training};
    return host(batch_norm(pass, var(x, {std::ssize(x), 1}), var({1}, {1}), var({0}, {1}), state)->value);
  }
  Numbers drawn(std::int64_t count, std::uint64_t stream) const {
    Numbers numbers = normal_numbers(count, seed, stream);
    for (double& x : numbers) x = kMean + std::sqrt(kVariance) * x;
    return numbers;
  }

  void forward_and_backward(Lesson& lesson);
  void weights_before(Lesson& lesson);
  void running_statistics(Lesson& lesson);
  void two_modes(Lesson& lesson);
};

Numbers times(double factor, Numbers numbers) {
  for (double& number : numbers) number *= factor;
  return numbers;
}

// The values of channel c of an array [4, 3, 2, 2, 2]: 4 samples with 8 positions.
Numbers channel(const Numbers& all, std::size_t c) {
  Numbers values;
  for (std::size_t i = 0; i < 32; ++i) values.push_back(all[(i / 8 * 3 + c) * 8 + i % 8]);
  return values;
}

// The gradient of sum(dy y) by dual numbers, without a formula for dx.
Numbers by_dual_numbers(const Numbers& x, const Numbers& dy, double gamma, double epsilon) {
  using D = Dual<double>;
  const auto loss = [&](const std::vector<D>& values) {
    D count(static_cast<double>(values.size())), mean(0), variance(epsilon), sum(0);
    for (const D& v : values) mean += v / count;
    for (const D& v : values) variance += (v - mean) * (v - mean) / count;
    for (std::size_t i = 0; i < dy.size(); ++i) sum += D(gamma * dy[i]) * (values[i] - mean) / sqrt(variance);
    return sum;
  };
  return dual_gradient(loss, x);
}

void Teacher::forward_and_backward(Lesson& lesson) {
  lesson.heading("Forward and backward");
  Numbers x = normal_numbers(96, seed, 1);  // channel c has mean 3 c and standard deviation 1 + 2 c
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double c = static_cast<double>(i / 8 % 3);
    x[i] = 3 * c + (1 + 2 * c) * x[i];
  }
  const Numbers dy = normal_numbers(96, seed, 2), gammas{1, 2, 0.5}, betas{0, 1, -1}, ones(32, 1.0);
  const Var in = var(x, {4, 3, 2, 2, 2}), gamma = var(gammas, {3}), beta = var(betas, {3});
  Tape tape(context);
  Pass pass{context, &tape, true};
  const Var y = batch_norm(pass, in, gamma, beta, state({0, 0, 0}, {1, 1, 1}));
  backward_from(pass, y, dy);
  const Numbers out = host(y->value), dx = host(in->grad);
  std::vector<Numbers> table, paths;  // paths: the first values of dx of channel 1, taken apart
  std::vector<std::pair<const char*, double>> worst;  // of the three channels
  const auto note = [&](std::size_t place, const char* what, double value) {
    if (place == worst.size()) worst.emplace_back(what, 0);
    worst[place].second = std::max(worst[place].second, std::abs(value));
  };
  for (std::size_t c = 0; c < 3; ++c) {
    const Numbers xc = channel(x, c), dyc = channel(dy, c), dxc = channel(dx, c);
    const Numbers xhat = forward(xc, 1, 0, epsilon), yc = forward(xc, gammas[c], betas[c], epsilon);
    const Statistics before = statistics(xc), after = statistics(xhat);
    const double slope = gammas[c] / std::sqrt(before.variance + epsilon);
    const double sum = dot(dyc, ones), inner = dot(dyc, xhat), rest = epsilon / (before.variance + epsilon);
    const Numbers duals = by_dual_numbers(xc, dyc, gammas[c], epsilon);
    note(0, "forward: the formula minus the engine", largest_difference(channel(out, c), yc));
    note(1, "x_hat: its mean", after.mean);
    note(2, "x_hat: its variance minus s² / (s² + epsilon)", after.variance - (1 - rest));
    note(3, "dx: the formula minus the tape", largest_difference(backward(xc, dyc, gammas[c], epsilon), dxc));
    note(4, "dx: dual numbers minus the tape", largest_difference(duals, dxc));
    note(5, "dgamma: the sum of dy x_hat minus the tape", host(gamma->grad)[c] - inner);
    note(6, "dbeta: the sum of dy minus the tape", host(beta->grad)[c] - sum);
    note(7, "dx: its sum", dot(dxc, ones));
    note(8, "dx: the sum of dx x_hat minus the term of epsilon", dot(dxc, xhat) - slope * inner * rest);
    table.push_back({before.mean, before.variance, after.mean, after.variance});
    for (std::size_t i = 0; c == 1 && i < 4; ++i)
      paths.push_back({slope * dyc[i], -slope * xhat[i] * inner / 32, -slope * sum / 32, dxc[i]});
  }
  lesson.record("channels", table);
  lesson.record("paths", paths);
  for (const auto& [what, value] : worst) lesson.claim_less(what, value, 1e-12);
}

void Teacher::weights_before(Lesson& lesson) {
  lesson.heading("The weights before it");
  const Var x = var(normal_numbers(32 * 6, seed, 3), {32, 6}), head = var(normal_numbers(4, seed, 4), {1, 4});
  const Tensor target = var(normal_numbers(32, seed, 5), {32, 1})->value;
  BatchNormState exact = state({0, 0, 0, 0}, {1, 1, 1, 1});
  exact.epsilon = 0;  // with epsilon, all that follows holds up to a share epsilon / s²
  const auto scaled = [&](double by) { return var(times(by, normal_numbers(24, seed, 6)), {4, 6}); };
  const auto learn = [&](const Var& w, const Var& bias) {  // the loss; leaves the gradients
    Tape tape(context);
    Pass pass{context, &tape, true};
    const Var y = linear(pass, x, w, bias);
    const Var z = batch_norm(pass, y, var(Numbers(4, 1.0), {4}), var(Numbers(4), {4}), exact);
    const Var loss = mean_squared_error(pass, linear(pass, relu(pass, z), head, nullptr), target);
    tape.backward(loss);
    return host(loss->value)[0];
  };
  const Var w = scaled(1), large = scaled(factor), bias = var(Numbers(4, 0.3), {4});
  const auto zero = [&](const char* what, double v) { lesson.claim_less(what, std::abs(v), 1e-12); };
  zero("w times the factor: change of the loss", learn(w, bias) - learn(large, nullptr));
  const Numbers g = host(w->grad), value = host(w->value), times_there = times(factor, host(large->grad));
  zero("the gradient at w minus the factor times the one there", largest_difference(g, times_there));
  zero("cosine between gradient and w", dot(g, value) / std::sqrt(dot(g, g) * dot(value, value)));
  zero("gradient of a bias before the batch norm", largest_difference(host(bias->grad), Numbers(4)));
  Figure figure("", {"step"}, {"loss"});
  std::vector<Numbers> losses, norms;
  Numbers steps;
  double next = NAN, error = 0;  // |w| after the next step by Pythagoras, and the largest error of that
  for (std::size_t i = 0; i <= 100; ++i) steps.push_back(static_cast<double>(i));
  for (const auto& [by, lr] : {std::pair(1.0, 0.3), {factor, 0.3}, {factor, 0.3 * factor * factor}}) {
    const Var trained = scaled(by);
    const auto sgd = make_sgd({{"w", trained}}, {});
    losses.emplace_back(), norms.emplace_back();
    while (losses.back().size() < steps.size()) {
      norms.back().push_back(std::sqrt(dot(host(trained->value), host(trained->value))));
      if (norms.back().size() > 1) error = std::max(error, std::abs(norms.back().back() / next - 1));
      losses.back().push_back(learn(trained, nullptr));
      next = std::hypot(norms.back().back(), lr * std::sqrt(dot(host(trained->grad), host(trained->grad))));
      sgd->step(context, lr);
    }
    const auto add = losses.size() == 3 ? &Figure::dashed : &Figure::line;  // it covers the first
    (figure.*add)(concat("w times ", by, ", rate ", lr), steps, losses.back());
  }
  lesson.record("sgd/loss", losses);
  lesson.record("sgd/norm", norms);
  lesson.record("sgd/factor", factor);
  zero("losses from w minus those from factor w, factor² rate", largest_difference(losses[0], losses[2]));
  zero("|w| after each step, over the root of |w|² + rate² |gradient|², minus 1", error);
  lesson.figure("scale", figure, "Large weights learn slowly, and with a larger rate exactly as small ones.");
}

void Teacher::running_statistics(Lesson& lesson) {
  lesson.heading("Running statistics");
  const BatchNormState collected = state({0}, {1});
  std::vector<Numbers> batches;
  Numbers means, variances, steps;
  double mean = 0, variance = 1, largest = 0;
  for (std::uint64_t step = 0; step < 60; ++step) {
    batches.push_back(drawn(batch, 100 + step));
    normalised(batches.back(), collected, true);
    const Statistics s = statistics(batches.back());
    const double unbiased = s.variance * static_cast<double>(batch) / static_cast<double>(batch - 1);
    mean = (1 - momentum) * mean + momentum * s.mean;
    variance = (1 - momentum) * variance + momentum * unbiased;
    means.push_back(host(collected.running_mean)[0]);
    variances.push_back(host(collected.running_var)[0]);
    largest = std::max({largest, std::abs(means.back() - mean), std::abs(variances.back() - variance)});
    steps.push_back(static_cast<double>(step + 1));
  }
  lesson.record("running/x", batches);
  lesson.record("running/statistics", {means, variances});
  lesson.claim_less("(1 - q) old + q new, with the unbiased variance, minus the engine", largest, 1e-12);
  BatchNormState average = state({0}, {1});  // of many batches of two: the bias of the variance is largest
  double biased = 0, many = 4000;
  for (double k = 0; k < many; ++k) {
    const Numbers two = drawn(2, 1000U + static_cast<std::uint64_t>(k));
    average.momentum = 1 / (k + 1);
    normalised(two, average, true);
    biased += statistics(two).variance / many;
  }
  const double unbiased = host(average.running_var)[0], spread = kVariance * std::sqrt(2 / many);
  lesson.record("pairs", {biased, unbiased});
  lesson.claim_near("batches of 2: running_var as an average of all", unbiased, kVariance, 5 * spread);
  lesson.claim_near("and the average of the biased variances", biased, kVariance / 2, 5 * spread / 2);
  Figure figure("", {"step"}, {"running statistics"});
  figure.line("mean", steps, means).theory("", {0, 60}, {kMean, kMean});
  figure.line("variance", steps, variances).theory("", {0, 60}, {kVariance, kVariance});
  lesson.figure("running", figure, "Both approach the dashed lines in 30 steps, and then move about them.");
}

void Teacher::two_modes(Lesson& lesson) {
  lesson.heading("Training and evaluation");
  const BatchNormState exact = state({kMean}, {kVariance});
  Numbers sizes, differences, theory;
  for (std::int64_t size = 4; size <= 512; size *= 2) {
    double squares = 0;
    for (std::int64_t b = 0; b < 65536 / size; ++b) {
      const Numbers x = drawn(size, 10000 + static_cast<std::uint64_t>(b));
      const Numbers evaluated = normalised(x, exact, false), trained = normalised(x, state({0}, {1}), true);
      for (std::size_t i = 0; i < x.size(); ++i) squares += std::pow(trained[i] - evaluated[i], 2);
    }
    sizes.push_back(static_cast<double>(size));
    differences.push_back(std::sqrt(squares / 65536));
    theory.push_back(std::sqrt(1.5 / static_cast<double>(size)));
  }
  lesson.record("modes", {sizes, differences});
  lesson.claim_near("the difference at batch 128 over sqrt(1.5 / 128)", differences[5] / theory[5], 1, 0.1);
  const Numbers pair = normalised(drawn(2, 8), state({0}, {1}), true), dy = normal_numbers(16, seed, 9);
  lesson.claim_near("in a batch of two the larger value becomes", std::max(pair[0], pair[1]), 1, 0.01);
  const Var x = var(drawn(16, 9), {16, 1});
  Tape tape(context);
  Pass pass{context, &tape, false};
  backward_from(pass, batch_norm(pass, x, var({1}, {1}), var({0}, {1}), exact), dy);
  const Numbers scaled = times(1 / std::sqrt(kVariance + epsilon), dy);
  lesson.claim_less("evaluation: dx minus gamma dy / r", largest_difference(host(x->grad), scaled), 1e-12);
  Figure figure("", {"samples in the batch", true, 2, 700}, {"rms difference", true, 0.02, 2});
  figure.points("training minus evaluation", sizes, differences).theory("sqrt(1.5 / batch)", sizes, theory);
  lesson.figure("modes", figure, "The dots fall along the line, as one over the root of the batch size.");
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Teacher teacher;
  return run_lesson(argc, argv, "08_batch_norm", teacher.settings(), [&](Lesson& lesson) {
    for (const auto part : {&Teacher::forward_and_backward, &Teacher::weights_before,
                            &Teacher::running_statistics, &Teacher::two_modes})
      (teacher.*part)(lesson);
  });
}
