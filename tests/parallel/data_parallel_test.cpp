// Training in several processes, compared with one. ctest runs these tests in one process and, under mpirun, in two and
// three. What one process computes is computed by every process for itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/nn/layers.h"
#include "engine/train/trainer.h"
#include "tests/fixtures/world.h"

namespace umbra {
namespace {

// y = (sum x, x0 - x1) of x drawn from a stream per sample; augmentation flips the sign of everything.
class Toy final : public Dataset {
 public:
  explicit Toy(std::int64_t broken = -1) : broken_(broken) {}
  std::int64_t size() const override { return 70; }
  Shape input_shape() const override { return {4}; }
  Shape target_shape() const override { return {2}; }
  void read(std::int64_t index, const Rng* augmentation, std::span<float> x,
            std::span<float> y) const override {
    const Rng rng(5, Purpose::kTest, static_cast<std::uint64_t>(index));
    const float sign = augmentation != nullptr && augmentation->uniform(0) < 0.5 ? -1.0F : 1.0F;
    for (std::size_t i = 0; i < 4; ++i) x[i] = sign * static_cast<float>(rng.normal(i));
    y[0] = x[0] + x[1] + x[2] + x[3];
    y[1] = x[0] - x[1];
    if (index == broken_) x[0] = std::numeric_limits<float>::infinity();
  }

 private:
  std::int64_t broken_;  // a sample with an infinite input, or -1
};

class Net final : public Module {
 public:
  explicit Net(Build& build, double drop)
      : first_(add_child("first", std::make_shared<Linear>(build, 4, 16, false))),
        norm_(add_child("norm", std::make_shared<BatchNorm>(build, 16))),
        last_(add_child("last", std::make_shared<Linear>(build, 16, 2))),
        drop_(drop) {}
  Var forward(Pass& pass, const Var& x) override {
    const Var h = norm_->forward_relu(pass, first_->forward(pass, x));
    return last_->forward(pass, dropout(pass, h, drop_));
  }

 private:
  std::shared_ptr<Linear> first_;
  std::shared_ptr<BatchNorm> norm_;
  std::shared_ptr<Linear> last_;
  double drop_;
};

struct Kept final : Observer {
  std::vector<Report> steps, validations;
  void on_step(const Report& report) override { steps.push_back(report); }
  void on_validation(const Report& report) override { validations.push_back(report); }
};

// The loss has weights, so that the parts of a batch differ in theirs.
double weight_of(double target) {
  return target > 0 ? 3 : 1;
}

struct Session {
  explicit Session(bool together, bool synchronised = true, std::int64_t broken = -1, double drop = 0.2)
      : net(build, drop),
        optimizer(make_sgd(net.parameters(), {0.9, 0})),
        data(broken),
        training(data, {16, 11, true, false, true, part(together)}),
        validation(data, {16, 11, false, false, false}) {
    if (!together) return;
    DataParallelOptions options{synchronised};
    options.bucket_bytes = 300;  // several buckets
    parallel = std::make_unique<DataParallel>(world(), net, options);
  }
  static BatchPart part(bool together) {
    return together ? BatchPart{world().rank(), world().size()} : BatchPart{};
  }
  Objective objective(bool weighted) {
    Objective t;
    t.predict = [this](Pass& pass, const Var& x) { return net.forward(pass, x); };
    t.loss = [this, weighted](Pass& pass, const Var& p, const Tensor& target) {
      if (!weighted) return mean_squared_error(pass, p, target);
      double sum = 0;
      std::vector<double> targets = to_host(target, context.stream), weights;
      for (std::size_t i = 0; i < targets.size(); i += 2) {
        weights.insert(weights.end(), 2, weight_of(targets[i]));
        sum += weight_of(targets[i]);
      }
      for (double& weight : weights) weight /= 2 * sum;
      const Tensor factors = context.temporary(target.shape(), DType::kF32);
      from_host(weights, factors, context.stream);
      return reduce_axes(pass,
                         mul(pass, mean_squared_error(pass, p, target, Reduce::kNone), constant(factors)),
                         AxisReduction::kSum, {});
    };
    t.metric = [](std::span<const double> p, std::span<const double> target) {
      double sum = 0;
      for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - target[i]) * (p[i] - target[i]);
      return sum;
    };
    if (weighted) {
      t.weight = [](std::span<const double> target) {
        double sum = 0;
        for (std::size_t i = 0; i < target.size(); i += 2) sum += weight_of(target[i]);
        return sum;
      };
    }
    return t;
  }
  Kept train(bool weighted, double clip = 0) {
    TrainerOptions options{3, 11, clip, true, [](std::int64_t) { return 0.02; }};
    options.parallel = parallel.get();
    Kept kept;
    Trainer(context, net, *optimizer, objective(weighted), options).run(training, &validation, 0, {&kept});
    return kept;
  }
  std::vector<double> weights() {
    std::vector<double> all;
    for (const NamedTensor& t : net.state()) {
      const std::vector<double> values = to_host(t.tensor, context.stream);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  Registry registry = make_registry();
  Context context{registry, {}};
  Build build{{}, DType::kF32, 3};
  Net net;
  std::unique_ptr<Optimizer> optimizer;
  Toy data;
  Loader training, validation;
  std::unique_ptr<DataParallel> parallel;
};

void expect_close(double a, double b, double tolerance, const char* what) {
  EXPECT_LE(std::abs(a - b), tolerance * std::max(1.0, std::abs(b))) << what << ' ' << a << ' ' << b;
}

// Parts of 16 and of the last 6 samples differ in size in three processes, and in weight in all.
TEST(DataParallel, StepsAreThoseOfOneProcess) {
  for (const bool weighted : {false, true}) {
    Session alone(false), together(true);
    const Kept one = alone.train(weighted, 0.5), all = together.train(weighted, 0.5);
    ASSERT_EQ(one.steps.size(), 15U);
    ASSERT_EQ(all.steps.size(), one.steps.size());
    for (std::size_t i = 0; i < one.steps.size(); ++i) {
      expect_close(all.steps[i].loss, one.steps[i].loss, 2e-6, "loss");
      expect_close(all.steps[i].metric, one.steps[i].metric, 2e-6, "metric");
      expect_close(all.steps[i].gradient_norm, one.steps[i].gradient_norm, 2e-5, "norm");
      EXPECT_EQ(all.steps[i].samples, one.steps[i].samples);
    }
    const std::vector<double> a = together.weights(), b = alone.weights();
    for (std::size_t i = 0; i < a.size(); ++i) expect_close(a[i], b[i], 2e-6, "weight");
  }
}

// The batches of a validation are divided, but their losses are added as in one process.
TEST(DataParallel, AValidationHasTheBitsOfOneProcess) {
  Session together(true, false);
  together.train(true);
  const Report all =
      validate(together.context, together.objective(true), together.validation, together.parallel.get());
  const Report one = validate(together.context, together.objective(true), together.validation);
  EXPECT_EQ(all.loss, one.loss);
  EXPECT_EQ(all.metric, one.metric);
  EXPECT_EQ(all.samples, 70);
}

TEST(DataParallel, ARunIsRepeatedBitForBitAndAllProcessesHaveTheSameState) {
  for (const bool synchronised : {false, true}) {
    Session first(true, synchronised), second(true, synchronised);
    const Kept a = first.train(false), b = second.train(false);
    EXPECT_EQ(first.weights(), second.weights());
    for (std::size_t i = 0; i < a.steps.size(); ++i) EXPECT_EQ(a.steps[i].loss, b.steps[i].loss);
    first.parallel->compare(15, first.net.state());  // throws Error if they differ
  }
}

TEST(DataParallel, BatchNormUsesThePartUnlessItIsSynchronised) {
  if (world().size() == 1) GTEST_SKIP() << "the part of one process is the whole batch";
  Session alone(false), parts(true, false);
  const double one = alone.train(false).steps[0].loss, divided = parts.train(false).steps[0].loss;
  EXPECT_GT(std::abs(one - divided), 1e-4);
}

// The op, with a residual and a ReLU, in both layouts: its output, statistics and gradients on the part of a process.
TEST(DataParallel, SharedBatchNormIsBatchNormOfTheWholeBatch) {
  Registry registry = make_registry();
  Context context(registry, {});
  const std::int64_t n = 10, c = 5, s = 6;
  const auto drawn = [&](const Shape& shape, std::uint64_t stream) {
    std::vector<double> values(static_cast<std::size_t>(shape.count()));
    const Rng rng(3, Purpose::kTest, stream);
    const double mean = stream == 2 ? -5 : 5;  // of the residual: some outputs are below 0
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = mean + rng.normal(i);
    return values;
  };
  const std::int64_t begin = n * world().rank() / world().size(),
                     end = n * (world().rank() + 1) / world().size();
  // Results of rows [from, to): y, dx, dresidual, and the running statistics; and dgamma, dbeta.
  const auto run = [&](std::int64_t from, std::int64_t to, const SharedBatch* shared, bool batch_last) {
    const auto part_of = [&](std::uint64_t stream, const Shape& shape) {
      const std::vector<double> all = drawn({n, c, s, 1}, stream);
      const Tensor t = allocate_tensor({}, shape, DType::kF32);
      from_host(std::span(all).subspan(static_cast<std::size_t>(from * c * s),
                                       static_cast<std::size_t>((to - from) * c * s)),
                t, context.stream);
      return t;
    };
    const Shape shape{to - from, c, s, 1};
    const auto leaf = [](Tensor value) {
      const Var var = constant(std::move(value));
      var->needs_grad = true;
      return var;
    };
    const auto channel = [&](std::uint64_t stream) {
      const Tensor t = allocate_tensor({}, {c}, DType::kF32);
      from_host(drawn({c}, stream), t, context.stream);
      return t;
    };
    const Var x = leaf(part_of(1, shape)), residual = leaf(part_of(2, shape));
    const Var gamma = leaf(channel(3)), beta = leaf(channel(4));
    BatchNormState state{channel(5), channel(6)};
    Tape tape(context);
    Pass pass{context, &tape, true};
    pass.shared = shared;
    const Var y = batch_last ? to_row_major(pass, batch_norm_relu(pass, to_batch_last(pass, x), gamma, beta,
                                                                  state, to_batch_last(pass, residual)))
                             : batch_norm_relu(pass, x, gamma, beta, state, residual);
    tape.backward(
        reduce_axes(pass, mul(pass, mul(pass, y, y), constant(part_of(7, shape))), AxisReduction::kSum, {}));
    std::vector<std::vector<double>> results;
    for (const Tensor& t :
         {y->value, x->grad, residual->grad, state.running_mean, state.running_var, gamma->grad, beta->grad})
      results.push_back(to_host(t, context.stream));
    return results;
  };
  for (const bool batch_last : {false, true}) {
    const SharedBatch shared{begin, n, &world()};
    const auto whole = run(0, n, nullptr, batch_last), part = run(begin, end, &shared, batch_last);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      std::vector<double> own = part[k];
      if (k >= 5) {  // gradients of parameters are added
        std::vector<double> sum(own.size(), 0.0);
        const std::vector<double> all = world().gather(own);
        for (std::size_t i = 0; i < all.size(); ++i) sum[i % own.size()] += all[i];
        own = sum;
      }
      const std::size_t offset = k < 3 ? static_cast<std::size_t>(begin * c * s) : 0;
      double scale = 0;
      for (const double value : whole[k]) scale = std::max(scale, std::abs(value));
      for (std::size_t i = 0; i < own.size(); ++i)
        EXPECT_LE(std::abs(own[i] - whole[k][offset + i]), 1e-5 * scale)
            << "result " << k << " element " << i;
    }
  }
}

TEST(DataParallel, TheRankOfANanIsNamed) {
  // Sample 33 is in the second batch of the last rank or not: the test finds whose it is.
  Session session(true, true, 33);
  const std::vector<std::int64_t> order = permutation(70, 11, 0);
  const auto place = std::find(order.begin(), order.end(), 33) - order.begin();
  const std::int64_t in_batch = place % 16, size = place / 16 < 4 ? 16 : 6;
  int owner = 0;
  while (size * (owner + 1) / world().size() <= in_batch) ++owner;
  std::string sentence;
  try {
    session.train(false);
  } catch (const Error& error) {
    sentence = error.what();
  }
  EXPECT_NE(sentence.find(concat("training stopped at step ", place / 16, " of epoch 0: the loss is ")),
            std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("The first op with a result that is not finite is linear_fprop"), std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("on " + world().name_of(owner)), std::string::npos) << sentence;
}

TEST(DataParallel, WeightsThatDifferEndTheTraining) {
  if (world().size() < 3) GTEST_SKIP() << "of two processes either could be wrong";
  Session session(true);
  session.train(false);
  if (world().rank() == 1) session.net.parameters()[0].value().values<float>()[5] += 1e-6F;
  std::string sentence;
  try {
    session.parallel->compare(15, session.net.state());
  } catch (const Error& error) {
    sentence = error.what();
  }
  EXPECT_EQ(sentence, "training stopped after step 15: the weights of " + world().name_of(1) +
                          " differ from those of " + world().name_of(0));
}

}  // namespace
}  // namespace umbra
