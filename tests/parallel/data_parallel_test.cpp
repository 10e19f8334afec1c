// Training in several processes, compared with one. ctest runs these tests in one process and, under mpirun, in two and
// three; on CPUs and on emulated GPUs. What one process computes is computed by every process for itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/nn/layers.h"
#include "engine/train/trainer.h"
#include "tests/fixtures/toy_data.h"
#include "tests/fixtures/world.h"
#include "tests/parallel/where.h"

namespace umbra {
namespace {

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
        data(70, broken),
        training(data, {16, 11, true, false, true, part(together)}),
        validation(data, {16, 11, false, false, false}) {
    if (!together) return;
    DataParallelOptions options{synchronised};
    options.bucket_bytes = 300;  // several buckets
    parallel = std::make_unique<DataParallel>(world(), context, net, options);
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
    options.graph = false;  // the loss with weights reads its targets on the host
    options.parallel = parallel.get();
    Kept kept;
    Trainer(context, net, *optimizer, objective(weighted), options).run(training, &validation, 0, {&kept});
    return kept;
  }
  std::vector<double> weights() { return numbers_of(net.state(), context.stream); }

  Registry registry = make_registry();
  Context context{registry, device_of_process()};
  Build build{device_of_process(), DType::kF32, 3};
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

// All but the last of them are handed over before the gradients of earlier layers have been computed, and arrive then.
TEST(DataParallel, BucketsTravelWhileTheBackwardPassRuns) {
  if (world().size() == 1) GTEST_SKIP() << "one process sends nothing";
  Session session(true);
  std::int64_t products = 0, before = 0;
  bool arrived = false;
  // The last product of the last backward pass waits for what follows the first one of that pass: the gathering of the
  // batch norm, and the two exchanges of the first bucket.
  session.context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    if (op.name() != "linear_wgrad") return;
    if (++products == 29) before = world().traffic().operations;
    for (int i = 0; products == 30 && !arrived && i < 30'000; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      arrived = world().traffic().operations == before + 3;
    }
  };
  ASSERT_EQ(session.train(false).steps.size(), 15U);
  EXPECT_TRUE(arrived);
  const DataParallel::Step& step = session.parallel->last_step();
  ASSERT_EQ(step.transfers.size(),
            2U);  // of 300 bytes or more: the weights and biases of `last` and `norm`, the rest
  EXPECT_GT(step.transfers[0].queued, step.begin);
  EXPECT_LT(step.transfers[0].queued, step.transfers[1].queued);
  EXPECT_LT(step.transfers[1].queued, step.end);
  for (const Transfer& transfer : step.transfers) EXPECT_LE(transfer.started, transfer.ended);
}

TEST(DataParallel, BatchNormUsesThePartUnlessItIsSynchronised) {
  if (world().size() == 1) GTEST_SKIP() << "the part of one process is the whole batch";
  Session alone(false), parts(true, false);
  const double one = alone.train(false).steps[0].loss, divided = parts.train(false).steps[0].loss;
  EXPECT_GT(std::abs(one - divided), 1e-4);
}

// Batch norm with a residual and a ReLU, of rows [from, to) of a batch.
class NormalisedRows {
 public:
  static constexpr std::int64_t kRows = 10, kChannels = 5, kPositions = 6;
  static constexpr std::size_t kOfRows = 3, kOfParameters = 2;  // results at the beginning and at the end

  // y, dx and dresidual of these rows; the running statistics; dgamma and dbeta.
  std::vector<std::vector<double>> results(std::int64_t from, std::int64_t to, const SharedBatch* shared,
                                           bool batch_last) {
    const Var x = leaf(rows(1, from, to)), residual = leaf(rows(2, from, to));
    const Var gamma = leaf(channels(3)), beta = leaf(channels(4));
    const BatchNormState state{channels(5), channels(6)};
    Tape tape(context_);
    Pass pass{context_, &tape, true};
    pass.shared = shared;
    const auto placed = [&](const Var& var) { return batch_last ? to_batch_last(pass, var) : var; };
    const Var y = to_row_major(pass, batch_norm_relu(pass, placed(x), gamma, beta, state, placed(residual)));
    const Var terms = mul(pass, mul(pass, y, y), constant(rows(7, from, to)));
    tape.backward(reduce_axes(pass, terms, AxisReduction::kSum, {}));
    std::vector<std::vector<double>> all;
    for (const Tensor& t :
         {y->value, x->grad, residual->grad, state.running_mean, state.running_var, gamma->grad, beta->grad})
      all.push_back(to_host(t, context_.stream));
    return all;
  }

 private:
  static std::vector<double> drawn(std::int64_t count, std::uint64_t stream) {
    std::vector<double> values(static_cast<std::size_t>(count));
    const Rng rng(3, Purpose::kTest, stream);
    const double mean = stream == 2 ? -5 : 5;  // of the residual: some outputs are below 0
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = mean + rng.normal(i);
    return values;
  }
  static Var leaf(Tensor value) {
    const Var var = constant(std::move(value));
    var->needs_grad = true;
    return var;
  }
  Tensor filled(const Shape& shape, std::span<const double> values) {
    const Tensor t = allocate_tensor(device_of_process(), shape, DType::kF32);
    from_host(values, t, context_.stream);
    return t;
  }
  Tensor channels(std::uint64_t stream) { return filled({kChannels}, drawn(kChannels, stream)); }
  Tensor rows(std::uint64_t stream, std::int64_t from, std::int64_t to) {
    constexpr std::int64_t kRow = kChannels * kPositions;
    const std::vector<double> all = drawn(kRows * kRow, stream);
    return filled({to - from, kChannels, kPositions, 1},
                  std::span(all).subspan(static_cast<std::size_t>(from * kRow),
                                         static_cast<std::size_t>((to - from) * kRow)));
  }

  Registry registry_ = make_registry();
  Context context_{registry_, device_of_process()};
};

TEST(DataParallel, SharedBatchNormIsBatchNormOfTheWholeBatch) {
  NormalisedRows norm;
  const std::int64_t n = NormalisedRows::kRows, begin = n * world().rank() / world().size(),
                     end = n * (world().rank() + 1) / world().size();
  for (const bool batch_last : {false, true}) {
    const SharedBatch shared{begin, n, &world()};
    const auto whole = norm.results(0, n, nullptr, batch_last),
               part = norm.results(begin, end, &shared, batch_last);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      std::vector<double> own = part[k];
      if (k >= whole.size() - NormalisedRows::kOfParameters) {  // gradients of parameters are added
        std::fill(own.begin(), own.end(), 0.0);
        const std::vector<double> all = world().gather(part[k]);
        for (std::size_t i = 0; i < all.size(); ++i) own[i % own.size()] += all[i];
      }
      const std::size_t offset = k < NormalisedRows::kOfRows ? whole[k].size() / n * begin : 0;
      double scale = 0;
      for (const double value : whole[k]) scale = std::max(scale, std::abs(value));
      for (std::size_t i = 0; i < own.size(); ++i)
        EXPECT_LE(std::abs(own[i] - whole[k][offset + i]), 1e-5 * scale)
            << "result " << k << ", element " << i;
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
  if (world().rank() == 1) {
    const Tensor weight = session.net.parameters()[0].value();
    std::vector<double> values = to_host(weight, session.context.stream);
    values[5] += 1e-6;
    from_host(values, weight, session.context.stream);
  }
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
