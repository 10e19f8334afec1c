// Lesson 1: the line through points, by a formula, by gradient descent and by stochastic gradient descent.
#include "tools/learn/common/lesson.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/philox.h"
#include "engine/nn/layers.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "tools/learn/01_linear_regression/exercises.h"

namespace umbra::learn {
namespace {

using Lines = std::vector<Line>;
using Order = std::vector<std::size_t>;  // indices of points
using Rows = std::vector<std::vector<double>>;
constexpr Line kTruth{1.5, -0.5};
constexpr std::size_t kPoints = 100, kEpochs = 60;

struct Options {
  std::int64_t seed = 1, batch = 10;
  double noise = 0.5, learning_rate = 0.2, momentum = 0.5;
  std::vector<Setting> settings() {
    return {{"learning_rate", "how far a step moves against the gradient", &learning_rate, 0.02, 1},
            {"momentum", "share of the last step that the next one repeats", &momentum, 0, 0.99},
            {"batch", "points per step of SGD, of 100", &batch, 1, 50},
            {"noise", "standard deviation of y around the true line", &noise, 0.01, 100},
            {"seed", "of the points and of the order of the batches", &seed, 0}};
  }
};

double mean_product(const std::vector<double>& v, const std::vector<double>& w) {
  return std::inner_product(v.begin(), v.end(), w.begin(), 0.0) / static_cast<double>(v.size());
}

// The loss is exactly loss(best) + ½ Σ curvature[k] distance(line, k)², with the distance from the best line across
// (k = 0) and along (k = 1) the valley: the eigenvectors of the Hessian 2 [[mean x², mean x], [mean x, 1]].
struct Valley {
  Line best, axis[2];
  double curvature[2] = {};
  Valley(const std::vector<double>& x, const std::vector<double>& y) {
    const std::vector<double> ones(x.size(), 1.0);
    const double mx = mean_product(x, ones), my = mean_product(y, ones), xx = mean_product(x, x);
    best.a = (mean_product(x, y) - mx * my) / (xx - mx * mx);  // the normal equations
    best.b = my - best.a * mx;
    curvature[0] = xx + 1 + std::hypot(xx - 1, 2 * mx);
    curvature[1] = xx + 1 - std::hypot(xx - 1, 2 * mx);
    const double length = std::hypot(curvature[0] - 2, 2 * mx);
    axis[0] = {(curvature[0] - 2) / length, 2 * mx / length};
    axis[1] = {-axis[0].b, axis[0].a};
  }
  double distance(Line l, int k) const { return (l.a - best.a) * axis[k].a + (l.b - best.b) * axis[k].b; }
  double excess(const Line& l) const {
    return (curvature[0] * std::pow(distance(l, 0), 2) + curvature[1] * std::pow(distance(l, 1), 2)) / 2;
  }
};

struct Course {
  const Options& o;
  Lesson& lesson;
  std::size_t batch = static_cast<std::size_t>(o.batch), n = kPoints;
  std::vector<double> x{}, y{};          // [N]
  std::vector<Order> all{}, shuffled{};  // [epochs][N]

  void draw() {
    const Rng rng(static_cast<std::uint64_t>(o.seed), Purpose::kTest);
    Order order(n);
    for (std::size_t i = 0; i < n; ++i) {
      x.push_back(2 * rng.uniform(2 * i));
      y.push_back(kTruth.a * x[i] + kTruth.b + o.noise * rng.normal(2 * i + 1));
      order[i] = i;
    }
    all.assign(kEpochs, order);
    Rows rows;
    for (std::size_t e = 0; e < all.size(); ++e)
      shuffled.push_back(shuffle(order, e)), rows.emplace_back(order.begin(), order.end());
    lesson.record("points", {x, y});
    lesson.record("sizes", {kPoints, kEpochs});
    lesson.record("sgd/order", rows);
  }
  const Order& shuffle(Order& order, std::uint64_t e) const {
    const Rng rng(static_cast<std::uint64_t>(o.seed), Purpose::kPermutation, e);
    for (std::size_t i = n - 1; i > 0; --i) std::swap(order[i], order[rng.below(i, i + 1)]);
    return order;
  }
  Lines walk(const std::vector<Order>& orders, const Step& step) const {
    Lines path{{0, 0}};
    Line velocity;
    for (const Order& order : orders)
      for (const Line& line : epoch(path.back(), velocity, x, y, order, step)) path.push_back(line);
    return path;
  }
  static const char* overflow(double x) { return std::isfinite(x) ? "" : ": the numbers overflowed"; }
  const Lines& recorded(const char* name, const Lines& path) const {
    Rows rows;
    for (const Line& line : path) rows.push_back({line.a, line.b, loss(line, x, y)});
    lesson.record(name, rows);
    lesson.say("%-12s a = %9.6g, b = %9.6g, loss %.6g, after %zu steps%s", name, path.back().a, path.back().b,
               rows.back()[2], path.size() - 1, overflow(rows.back()[2]));
    return path;
  }
};

void gradient_descent(const Course& c, const Valley& v, const Lines& gd, const Lines& heavy) {
  const double eta = c.o.learning_rate, m = c.o.momentum, sum = 1 + m - eta * v.curvature[1];
  const double slowest = sum * sum > 4 * m ? (sum + std::sqrt(sum * sum - 4 * m)) / 2 : std::sqrt(m);
  c.lesson.record("curvature", {v.curvature[0], v.curvature[1]});
  c.lesson.record("factors", {1 - eta * v.curvature[0], 1 - eta * v.curvature[1], slowest});
  c.lesson.say("curvature: %.4f across the valley, %.4f along it", v.curvature[0], v.curvature[1]);
  for (const int k : {0, 1})
    c.lesson.claim_near(std::string("gd, 5 steps: factor of the distance ") + (k == 0 ? "across" : "along"),
                        v.distance(gd[5], k) / v.distance(gd[0], k), std::pow(1 - eta * v.curvature[k], 5),
                        1e-9);
  c.lesson.claim_near("gd_momentum: d'' = (1 + m - rate × curvature) d' - m d", v.distance(heavy[7], 1),
                      sum * v.distance(heavy[6], 1) - m * v.distance(heavy[5], 1), 1e-9);
}

void figures(const Course& c, const Valley& v, const Lines& gd, const Lines& sgd) {
  Figure fit("", {"x", false, 0, 2}, {"y"}), surface("", {"a", false, -1, 3}, {"b", false, -2, 2});
  fit.points("points", c.x, c.y);
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}, gd.size() - 1})
    fit.line("after step " + std::to_string(k), {0, 2}, {gd[k].b, 2 * gd[k].a + gd[k].b});
  fit.dashed("formula", {0, 2}, {v.best.b, 2 * v.best.a + v.best.b});
  Rows shades(80);
  for (std::size_t i = 0; i < 6400; ++i) {
    const Line line{0.05 * static_cast<double>(i % 80) - 0.975, 0.05 * static_cast<double>(i / 80) - 1.975};
    shades[i / 80].push_back(std::log10(loss(line, c.x, c.y)));
  }
  surface.map(shades, -1, 3, -2, 2);
  for (const Lines* path : {&gd, &sgd}) {
    std::vector<double> a, b;
    for (const Line& line : *path) a.push_back(line.a), b.push_back(line.b);
    surface.line(path == &gd ? "gradient descent" : "SGD", a, b);
  }
  c.lesson.figure("fit", fit, "Points around a rising line, with lines that approach the best one.");
  surface.points("best line", {v.best.a}, {v.best.b});
  c.lesson.figure("surface", surface, "Loss over a and b: a long valley and two paths to its lowest point.");
}

void largest_learning_rate(const Course& c, const Valley& v) {
  c.lesson.heading("The largest learning rate");
  const double limit = 2 / v.curvature[0];
  c.lesson.say("It is 2 / (curvature across) = %.6f.", limit);
  c.lesson.record("limit", limit);
  std::vector<double> steps(c.all.size() + 1);
  std::iota(steps.begin(), steps.end(), 0.0);
  Figure figure("", {"step", false, 0, 1.5 * steps.back()}, {"loss − lowest", true, 1e-6, 1e6});
  Rows rows;
  for (const double rate : {0.25 * limit, 0.5 * limit, 0.98 * limit, 1.02 * limit, -c.o.learning_rate}) {
    const Lines path = c.walk(c.all, {rate, 0, c.n});
    rows.emplace_back();
    for (const Line& line : path) rows.back().push_back(v.excess(line));
    const std::string name =
        rate < 0 ? "the slide's +" : std::to_string(rate / limit).substr(0, 4) + " of the limit";
    figure.line(name, steps, rows.back());
    if (rate < 0.9 * limit && rate > 0) continue;
    c.lesson.claim_near(name + ": a step multiplies the distance across by",
                        v.distance(path[10], 0) / v.distance(path[9], 0), 1 - rate * v.curvature[0], 1e-6);
  }
  c.lesson.record("rates", rows);
  c.lesson.figure("rates", figure, "Loss above the lowest against the step: rising and falling lines.");
}

void neighbourhood(const Course& c, const Valley& v) {
  c.lesson.heading("Where SGD stays");
  Rows rows(2);
  for (const double share : {0.5, 0.25, 0.125, 0.0625}) {
    const double eta = share * c.o.learning_rate, forget = 10 / (eta * v.curvature[1]);
    Order order = c.all[0];
    Line line = v.best, velocity;
    double sum = 0, taken = 0;
    for (std::uint64_t e = 0; taken < forget + 3000 / eta; ++e)
      for (const Line& next : epoch(line, velocity, c.x, c.y, c.shuffle(order, e), {eta, 0, c.batch})) {
        line = next;
        if (++taken > forget) sum += v.excess(line);
      }
    rows[0].push_back(eta);
    rows[1].push_back(sum / (taken - std::floor(forget)));
    c.lesson.say("learning rate %.4f: mean excess %.3e%s", eta, rows[1].back(), c.overflow(sum));
  }
  c.lesson.record("plateau", rows);
  c.lesson.claim_near("excess of SGD as a power of the learning rate, between the two smallest rates",
                      std::log2(rows[1][2] / rows[1][3]), 2, 0.15);
}

// The walk of SGD with gradients from the tape and updates by the optimiser.
Lines with_the_engine(const Course& c, const Step& step) {
  const Registry registry = make_registry();
  Context context(registry, parse_device("cpu"));
  Build build{.device = context.device(), .dtype = DType::kF64};
  Linear net(build, 1, 1);
  const std::vector<Parameter> theta = net.parameters();  // weight [1, 1] is a, bias [1] is b
  for (const Parameter& p : theta) p.value().values<double>()[0] = 0;
  const auto sgd = make_sgd(theta, {.momentum = step.momentum});
  const auto column = [&](const std::vector<double>& values, Indices batch) {
    Tensor t = allocate_tensor(context.device(), {static_cast<std::int64_t>(batch.size()), 1}, DType::kF64);
    for (std::size_t k = 0; k < batch.size(); ++k) t.values<double>()[k] = values[batch[k]];
    return t;
  };
  Lines path{{0, 0}};
  for (const Order& order : c.shuffled)
    for (std::size_t first = 0; first < order.size(); first += step.batch) {
      const Indices batch = Indices(order).subspan(first, std::min(step.batch, order.size() - first));
      Tape tape(context);
      Pass pass{context, &tape, /*training=*/true};
      const Var prediction = net.forward(pass, constant(column(c.x, batch)));
      tape.backward(mean_squared_error(pass, prediction, column(c.y, batch)));
      sgd->step(context, step.learning_rate);
      path.push_back({theta[0].value().values<double>()[0], theta[1].value().values<double>()[0]});
    }
  return path;
}

void teach(const Options& o, Lesson& lesson) {
  Course c{o, lesson};
  lesson.heading("The points and the best line, from the normal equations");
  c.draw();
  const Valley v(c.x, c.y);
  const Line g = gradient(v.best, c.x, c.y, c.all[0]);
  c.recorded("truth", {kTruth});
  c.recorded("best", {v.best});
  lesson.claim_less("at the best line the gradient vanishes, |gradient|", std::hypot(g.a, g.b), 1e-12);
  lesson.heading("Walks from a = b = 0: gd uses all points in each step, sgd a batch");
  const Step both{o.learning_rate, o.momentum, c.batch};
  const Lines gd = c.recorded("gd", c.walk(c.all, {o.learning_rate, 0, c.n}));
  const Lines heavy = c.recorded("gd_momentum", c.walk(c.all, {o.learning_rate, o.momentum, c.n}));
  const Lines sgd = c.recorded("sgd", c.walk(c.shuffled, {o.learning_rate, 0, c.batch}));
  const Lines ours = c.recorded("sgd_momentum", c.walk(c.shuffled, both)), tape = with_the_engine(c, both);
  double largest = 0;  // difference of a parameter
  for (std::size_t k = 0; k < tape.size(); ++k)
    largest = std::max({largest, std::abs(tape[k].a - ours[k].a), std::abs(tape[k].b - ours[k].b)});
  lesson.claim_less("umbra's tape and optimiser walk as sgd_momentum, largest difference", largest, 1e-12);
  gradient_descent(c, v, gd, heavy);
  figures(c, v, gd, sgd);
  largest_learning_rate(c, v);
  neighbourhood(c, v);
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Options options;
  return run_lesson(argc, argv, "01_linear_regression", options.settings(),
                    [&](Lesson& lesson) { teach(options, lesson); });
}
