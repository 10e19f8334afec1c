// Every model of models/models.def: make_model() finds it by name, its options are settings, and it learns.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/io/config.h"
#include "engine/optim/optimizer.h"
#include "models/mlp.h"
#include "models/model.h"
#include "models/um_resnet2d.h"

namespace umbra {
namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class EveryModel : public testing::TestWithParam<std::string> {};

TEST_P(EveryModel, HasItsNameAndSettings) {
  const std::unique_ptr<Model> model = make_model(GetParam());
  EXPECT_EQ(model->name(), GetParam());
  EXPECT_FALSE(model->meaning().empty());
  EXPECT_TRUE(model->label().starts_with(GetParam()));
  for (const Setting& setting : model->settings()) {
    EXPECT_TRUE(setting.key.starts_with("model.")) << setting.key;
    EXPECT_NE(setting.key, "model.name");
    EXPECT_FALSE(setting.help.empty()) << setting.key;
  }
}

// A copy has the options of the original and can then be changed independently.
TEST_P(EveryModel, IsCopiedWithItsOptions) {
  const std::unique_ptr<Model> model = make_model(GetParam());
  const auto dump = [](Model& m) { return Config(m.settings()).dump(); };
  const auto change = [](Model& m) {
    for (const Setting& setting : m.settings()) {
      if (const auto* real = std::get_if<double*>(&setting.value)) **real += 0.25;
      if (const auto* integer = std::get_if<std::int64_t*>(&setting.value)) **integer += 1;
      if (const auto* flag = std::get_if<bool*>(&setting.value)) **flag = !**flag;
      if (const auto* list = std::get_if<std::vector<std::int64_t>*>(&setting.value)) (*list)->push_back(7);
    }
  };
  change(*model);
  const std::string changed = dump(*model);
  EXPECT_EQ(changed == dump(*make_model(GetParam())), model->settings().empty());
  const std::unique_ptr<Model> copy = model->clone();
  EXPECT_EQ(dump(*copy), changed);
  change(*copy);
  EXPECT_EQ(dump(*model), changed);
}

TEST_P(EveryModel, LearnsItsExample) {
  const Registry registry = make_registry();
  Context context(registry, {});
  const std::unique_ptr<Model> model = make_model(GetParam());
  const SampleShape shape = model->example();
  Build build;
  const std::unique_ptr<Module> network = model->make(build, shape);
  constexpr std::int64_t kBatch = 4;
  const Tensor input = allocate_tensor({}, stacked(kBatch, shape.input), DType::kF32),
               target = allocate_tensor({}, {kBatch, shape.outputs}, DType::kF32);
  const Rng rng(1, Purpose::kTest);
  std::vector<double> values(static_cast<std::size_t>(input.count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
  from_host(values, input, context.stream);
  values.resize(static_cast<std::size_t>(target.count()));
  from_host(values, target, context.stream);
  const auto adam = make_adam(network->parameters(), {});
  double first = 0, last = 0;
  for (int step = 0; step < 4; ++step) {
    Tape tape(context);
    Pass pass{context, &tape, true};
    const Var output = network->forward(pass, constant(input));
    ASSERT_EQ(output->value.shape(), (Shape{kBatch, shape.outputs}));
    const Var loss = mean_squared_error(pass, output, target);
    tape.backward(loss);
    adam->step(context, 1e-3);
    last = to_host(loss->value, context.stream)[0];
    if (step == 0) first = last;
  }
  EXPECT_LT(last, first);
  EXPECT_TRUE(std::isfinite(last));
}

INSTANTIATE_TEST_SUITE_P(Models, EveryModel, testing::ValuesIn(model_names()),
                         [](const auto& test) { return test.param; });

TEST(Models, AnUnknownNameIsASentenceWithTheKnownOnes) {
  const std::string message = message_of([] { make_model("vgg16"); });
  EXPECT_NE(message.find("no model vgg16"), std::string::npos) << message;
  for (const std::string& name : model_names()) EXPECT_NE(message.find(name), std::string::npos) << message;
}

TEST(Models, InputsThatDoNotFitAreASentence) {
  Build build;
  const auto refused = [&](const char* name, const Shape& input) {
    return message_of([&] { make_model(name)->make(build, {input, 2}); });
  };
  EXPECT_NE(refused("um_resnet", {1, 25, 25}).find("[1, 25, 25]"), std::string::npos);
  EXPECT_NE(refused("um_resnet", {1, 25, 25, 24}).find("takes cubes"), std::string::npos);
  EXPECT_NE(refused("um_resnet2d", {1, 25, 25, 24}).find("takes cubes"), std::string::npos);
  EXPECT_NE(refused("resnet18", {3, 64, 32}).find("square images"), std::string::npos);
  EXPECT_NE(refused("resnet18", {3}).find("[3]"), std::string::npos);
  EXPECT_EQ(refused("mlp", {3}), "");
  EXPECT_EQ(refused("um_dense", {3}), "");
  UmResNet2dOptions plain;
  plain.blocks = "plain";
  EXPECT_NE(message_of([&] {
              plain.make(build, {{1, 7, 7, 7}, 2});
            }).find("at least 8 voxels"),
            std::string::npos);
}

TEST(Mlp, HasTheLayersItIsToldTo) {
  Build build;
  MlpOptions options;
  options.hidden = {5, 7};
  options.inputs = 3;
  options.outputs = 2;
  std::set<std::string> names;
  for (const Parameter& p : Mlp(build, options).parameters()) names.insert(p.name);
  EXPECT_EQ(names, (std::set<std::string>{"fc1.weight", "fc1.bias", "bn1.weight", "bn1.bias", "fc2.weight",
                                          "fc2.bias", "bn2.weight", "bn2.bias", "fc3.weight", "fc3.bias"}));
  options.hidden = {};
  EXPECT_EQ(Mlp(build, options).parameters().size(), 2U);  // a linear model
  EXPECT_EQ(MlpOptions().label(), "mlp 128-128");
  options.activation = "selu";
  EXPECT_EQ(message_of([&] { Mlp(build, options); }), "mlp: the activation is relu or silu, not selu");
}

// Networks of one hidden unit: weights are 1 and biases 0.5, so that y = f(x + 0.5) + 0.5.
TEST(Mlp, ItsActivationIsReluOrSilu) {
  for (const std::string activation : {"relu", "silu"}) {
    Build build{{}, DType::kF64};
    MlpOptions options;
    options.hidden = {1};
    options.batch_norm = false;
    options.activation = activation;
    Mlp network(build, options);
    for (const Parameter& p : network.parameters())
      p.value().values<double>()[0] = p.name.ends_with("weight") ? 1 : 0.5;
    const std::vector<double> x{-3, -0.75, 0.25, 2};
    const Registry registry = make_registry();
    Context context(registry, {});
    const Tensor input = allocate_tensor({}, {4, 1}, DType::kF64);
    from_host(x, input, context.stream);
    Pass pass{context};
    const std::vector<double> y = to_host(network.forward(pass, constant(input))->value, context.stream);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double s = x[i] + 0.5, f = activation == "relu" ? std::max(s, 0.0) : s / (1 + std::exp(-s));
      EXPECT_NEAR(y[i], f + 0.5, 1e-14) << activation << "(" << s << ")";
    }
  }
}

}  // namespace
}  // namespace umbra
