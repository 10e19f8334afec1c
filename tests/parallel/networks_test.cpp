// Networks of models/ in several processes: batches are divided unevenly, and each step has the loss of one process.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/nn/layers.h"
#include "engine/train/trainer.h"
#include "models/model.h"
#include "tests/fixtures/world.h"

namespace umbra {
namespace {

constexpr std::int64_t kSamples = 15, kBatch = 8, kOutputs = 3;  // a batch of 8 and one of 7

class Drawn final : public Dataset {
 public:
  explicit Drawn(Shape shape) : shape_(std::move(shape)) {}
  std::int64_t size() const override { return kSamples; }
  Shape input_shape() const override { return shape_; }
  Shape target_shape() const override { return {kOutputs}; }
  void read(std::int64_t index, const Rng*, std::span<float> x, std::span<float> y) const override {
    const Rng rng(5, Purpose::kTest, static_cast<std::uint64_t>(index));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(rng.normal(i));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(rng.normal(x.size() + i));
  }

 private:
  Shape shape_;
};

struct Kept final : Observer {
  std::vector<Report> steps;
  void on_step(const Report& report) override { steps.push_back(report); }
};

// Two epochs with the mean squared error and SGD.
std::vector<Report> train(const std::string& name, const Shape& input, bool together) {
  const std::unique_ptr<Model> model = make_model(name);
  for (const Setting& setting : model->settings()) {
    if (setting.key == "model.channels") *std::get<std::int64_t*>(setting.value) = 4;
    if (setting.key == "model.dropout") *std::get<double*>(setting.value) = 0.2;
  }
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build{{}, DType::kF32, 3};
  SampleShape shape{input};
  shape.outputs = kOutputs;
  const std::unique_ptr<Module> net = model->make(build, shape);
  const std::unique_ptr<Optimizer> optimizer = make_sgd(net->parameters(), {0.9, 0});
  DataParallel parallel(world(), context, *net, {.synchronised_batch_norm = true, .bucket_bytes = 4096});
  Objective objective;
  objective.predict = [&](Pass& pass, const Var& x) { return net->forward(pass, x); };
  objective.loss = [](Pass& pass, const Var& p, const Tensor& y) { return mean_squared_error(pass, p, y); };
  objective.metric = [](std::span<const double>, std::span<const double>) { return 0.0; };
  TrainerOptions options{2, 11, 0, true, [](std::int64_t) { return 1e-3; }};
  if (together) options.parallel = &parallel;
  const Drawn data(input);
  const BatchPart part = together ? BatchPart{world().rank(), world().size()} : BatchPart{};
  const Loader training(data, {kBatch, 11, true, false, false, part});
  Kept kept;
  Trainer(context, *net, *optimizer, objective, options).run(training, nullptr, 0, {&kept});
  return kept.steps;
}

TEST(DataParallel, NetworksHaveTheLossesOfOneProcess) {
  if (world().size() == 1) GTEST_SKIP() << "one process would be compared with itself";
  const std::vector<std::pair<std::string, Shape>> networks = {{"resnet18", {3, 32, 32}},
                                                               {"um_resnet", {1, 25, 25, 25}},
                                                               {"um_dense", {1, 25, 25, 25}},
                                                               {"mlp", {20}}};
  for (const auto& [name, input] : networks) {
    const std::vector<Report> one = train(name, input, false), several = train(name, input, true);
    ASSERT_EQ(several.size(), 4U);
    EXPECT_LE(std::abs(several[0].gradient_norm - one[0].gradient_norm), 1e-3 * one[0].gradient_norm) << name;
    for (std::size_t i = 0; i < one.size(); ++i) {
      // From the same weights, and then from weights that have moved apart by rounding.
      const double bound = i == 0 ? 1e-6 : 1e-3;
      EXPECT_LE(std::abs(several[i].loss - one[i].loss), bound * one[i].loss) << name << ", step " << i;
    }
  }
}

}  // namespace
}  // namespace umbra
