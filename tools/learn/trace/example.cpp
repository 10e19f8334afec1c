#include "tools/learn/trace/example.h"

namespace umbra::learn {
namespace {

Tensor normal_numbers(Context& context, const Shape& shape, DType dtype, const Rng& rng) {
  Tensor tensor = allocate_tensor(context.device(), shape, dtype);
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
  from_host(values, tensor, context.stream);
  return tensor;
}

Tensor random_classes(Context& context, std::int64_t count, std::int64_t classes, const Rng& rng) {
  Tensor tensor = allocate_tensor(context.device(), {count}, DType::kI32);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(
        static_cast<double>(rng.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(classes))));
  from_host(values, tensor, context.stream);
  return tensor;
}

}  // namespace

std::vector<Setting> ExampleOptions::settings() {
  constexpr double kMany = 1e6;
  return {
      {"batch", "samples in the step", &batch, 1, kMany},
      {"input", "shape of one sample; []: the model's example", &input, 1, kMany},
      {"outputs", "numbers that the network returns per sample; 0: the model's example", &outputs, 0, kMany},
      {"seed", "of the weights, inputs and targets", &seed, 0, 1e9},
      {"loss",
       "mse: mean squared error; cross_entropy: of the softmax",
       &loss,
       0,
       0,
       {"mse", "cross_entropy"}},
      {"dtype", "type of all numbers, f32 or f64", &dtype, 0, 0, {"f32", "f64"}},
  };
}

Computation example_of(Context& context, const Model& model, const ExampleOptions& options) {
  SampleShape shape = model.example();
  require(options.input.size() < Shape::kMaxRank, "input: at most ", Shape::kMaxRank - 1, " extents");
  if (!options.input.empty()) shape.input = Shape(std::span<const std::int64_t>(options.input));
  if (options.outputs > 0) shape.outputs = options.outputs;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const DType dtype = options.dtype == "f64" ? DType::kF64 : DType::kF32;
  Build build{.device = context.device(), .dtype = dtype, .seed = seed};
  const std::shared_ptr<Module> network = model.make(build, shape);
  const Rng rng(seed, Purpose::kTest);
  const Tensor x = normal_numbers(context, stacked(options.batch, shape.input), dtype, rng.stream(1));
  const bool classes = options.loss == "cross_entropy";
  const Tensor target = classes
                            ? random_classes(context, options.batch, shape.outputs, rng.stream(2))
                            : normal_numbers(context, {options.batch, shape.outputs}, dtype, rng.stream(2));
  const auto loss = [=](Pass& pass) {
    const Var output = network->forward(pass, constant(x));
    return classes ? softmax_cross_entropy(pass, output, target) : mean_squared_error(pass, output, target);
  };
  return {loss, network->parameters(), network->buffers(), {{"x", x}}};
}

}  // namespace umbra::learn
