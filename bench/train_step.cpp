// Times any model of models/models.def: training steps (forward, backward, optimiser) or inference, on made-up
// samples of its usual size, and prints one line of JSON with every measured time in milliseconds.
// bench/run.sh runs it in turns with its peers.
//   build/bench/train_step model.channels=200 --steps 10
//   build/bench/train_step model.channels=200 --mode inference --boxes 1000
//   build/bench/train_step model.channels=200 --profile   the cost of every op, largest first
//   build/bench/train_step --device cuda --graph on|off   the step replayed as a graph, or queued
//   build/bench/train_step --device cuda --kernels conv3d=cudnn    with cuDNN's convolutions
//   build/bench/train_step --model resnet18 --batch 64    on 3 x 64 x 64 images
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/io/config.h"
#include "engine/ops/elementwise/scale.h"
#include "engine/optim/optimizer.h"
#include "engine/registry/register_peers.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "engine/train/profile.h"
#include "models/model.h"

namespace umbra {
namespace {

struct Options {
  std::int64_t batch = 32, steps = 10, boxes = 1000;
  std::string model = "um_resnet", mode = "train", device = "cpu", graph = "on", kernels;
  std::vector<std::string> settings;
  Precision precision = Precision::kF32;
  bool profile = false;
};

// In cubes 4 % of the voxels contain a halo, as in the boxes of the paper.
Tensor make_inputs(Context& context, std::int64_t count, const Shape& sample) {
  const Tensor input = allocate_tensor(context.device(), stacked(count, sample), DType::kF32);
  const Rng rng(1, Purpose::kTest, 1);
  const bool cubes = sample.rank() == 4;
  std::vector<double> values(static_cast<std::size_t>(input.count()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double u = rng.uniform(i);
    values[i] = cubes ? (u < 0.04 ? 0.5 + 25 * u : 0.0) : rng.normal(i);
  }
  from_host(values, input, context.stream);
  return input;
}

struct Samples {
  std::vector<double> forward, backward, optimizer, total;  // ms
};

// Marks in the stream of a device, and the milliseconds between them.
class Clock {
 public:
  Clock(Context& context, std::size_t marks) : context_(context) {
    for (std::size_t i = 0; i < marks; ++i) events_.push_back(std::make_unique<Event>(context.device()));
  }
  void mark(std::size_t i) { events_[i]->record(context_.stream); }
  void wait() { context_.stream.synchronize(); }
  double ms(std::size_t from, std::size_t to) const {
    return 1e3 * seconds_between(*events_[from], *events_[to]);
  }

 private:
  Context& context_;
  std::vector<std::unique_ptr<Event>> events_;
};

constexpr std::int64_t kWarmup = 2;

Samples train(Context& context, Module& net, const std::function<Var(Pass&)>& loss_of, std::int64_t steps) {
  const auto adam = make_adam(net.parameters(), {});
  Tensor scalars;
  Clock clock(context, 4);
  Samples samples;
  for (std::int64_t step = -kWarmup; step < steps; ++step) {
    clock.mark(0);
    Tape tape(context);
    Pass pass{context, &tape, true, Rng(1, Purpose::kDropout), static_cast<std::uint64_t>(step + kWarmup)};
    const Var loss = loss_of(pass);
    clock.mark(1);
    tape.backward(loss);
    clock.mark(2);
    const std::vector<double> numbers = adam->advance(1e-3);
    if (!scalars.defined()) {  // only once, as in training: no wait in the middle of a step
      scalars = allocate_tensor(context.device(), {static_cast<std::int64_t>(numbers.size())}, DType::kF64);
      from_host(numbers, scalars, context.stream);
    }
    adam->apply(context, scalars);
    clock.mark(3);
    clock.wait();
    if (step < 0) continue;
    samples.forward.push_back(clock.ms(0, 1));
    samples.backward.push_back(clock.ms(1, 2));
    samples.optimizer.push_back(clock.ms(2, 3));
    samples.total.push_back(clock.ms(0, 3));
  }
  return samples;
}

// The same step captured once and replayed; only the whole step can be timed. `all` is the time of all steps
// launched back to back.
Samples train_as_graph(Context& context, Module& net, const std::function<Var(Pass&)>& loss_of,
                       std::int64_t steps, double* all) {
  const auto adam = make_adam(net.parameters(), {});
  const Tensor number = allocate_tensor(context.device(), {1}, DType::kI64);
  from_host(std::vector<double>{1}, number, context.stream);
  const std::vector<double> numbers = adam->advance(1e-3);
  const Tensor scalars =
      allocate_tensor(context.device(), {static_cast<std::int64_t>(numbers.size())}, DType::kF64);
  from_host(numbers, scalars, context.stream);
  const Tensor one = allocate_tensor(context.device(), {1}, DType::kF32);  // as train keeps one
  from_host(std::vector<double>{1}, one, context.stream);
  const auto step = [&] {
    Tape tape(context);
    Pass pass{context, &tape, true, Rng(1, Purpose::kDropout), number};
    tape.backward(loss_of(pass), {.start = one});
    adam->apply(context, scalars);
  };
  step();
  const Graph graph(context.stream, step);
  Clock clock(context, 2);
  Samples samples;
  for (std::int64_t i = -kWarmup; i < steps; ++i) {
    clock.mark(0);
    graph.launch(context.stream);
    clock.mark(1);
    clock.wait();
    if (i >= 0) samples.total.push_back(clock.ms(0, 1));
  }
  clock.mark(0);
  for (std::int64_t i = 0; i < steps; ++i) graph.launch(context.stream);
  clock.mark(1);
  clock.wait();
  *all = clock.ms(0, 1);
  return samples;
}

// Replays a graph if the device supports it, unless --graph off or --profile is given.
Samples train(Context& context, Module& net, const std::function<Var(Pass&)>& loss_of, const Options& o,
              double* all) {
  const bool graph = o.graph == "on" && !o.profile && Graph::possible(context.device());
  return graph ? train_as_graph(context, net, loss_of, o.steps, all) : train(context, net, loss_of, o.steps);
}

Samples train(Context& context, Module& net, const SampleShape& shape, const Options& o, double* all) {
  const Tensor input = make_inputs(context, o.batch, shape.input);
  const Tensor target = allocate_tensor(context.device(), {o.batch, shape.outputs}, DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(target.count()), 0.5), target, context.stream);
  const auto loss = [&](Pass& pass) {
    return mean_squared_error(pass, net.forward(pass, constant(input)), target);
  };
  return train(context, net, loss, o, all);
}

// A network for inference alone has no values yet. They are written in place, because the peak memory is
// measured.
void fill_weights(Context& context, const Module& net) {
  for (const Parameter& p : net.parameters()) {
    const Tensor& value = p.value();
    if (value.dtype() == DType::kF32) {
      call(context, SetValue(DType::kF32, value.count(), 0.01), {value});
    } else if (context.device().kind == Device::Kind::kCpu) {
      for (Bf16& number : value.values<Bf16>()) number = Bf16(0.01f);
    } else {
      constexpr std::int64_t kPart = 1 << 20;
      const std::vector<double> numbers(kPart, 0.01);
      for (std::int64_t begin = 0; begin < value.count(); begin += kPart) {
        const std::int64_t count = std::min(kPart, value.count() - begin);
        from_host(std::span(numbers).first(static_cast<std::size_t>(count)), value.elements(begin, count),
                  context.stream);
      }
    }
  }
}

Samples infer(Context& context, Module& net, const SampleShape& shape, const Options& o) {
  const Tensor input = make_inputs(context, o.batch, shape.input);
  Clock clock(context, 2);
  Samples samples;
  for (std::int64_t step = -1; step < o.steps; ++step) {
    clock.mark(0);
    for (std::int64_t done = 0; done < o.boxes; done += o.batch) {
      const std::int64_t n = std::min(o.batch, o.boxes - done);
      const Tensor part = input.elements(0, n * shape.input.count()).reshaped(stacked(n, shape.input));
      Pass pass{context};
      net.forward(pass, constant(part));
    }
    clock.mark(1);
    clock.wait();
    if (step >= 0) samples.total.push_back(clock.ms(0, 1));
  }
  return samples;
}

void run(const Options& o) {
  Registry registry = make_registry();
  register_peers(registry);
  registry.prefer(o.kernels);
  Context context(registry, parse_device(o.device));
  context.precision = o.precision;
  Build build{.device = context.device(), .learns = o.mode == "train", .precision = context.precision};
  Profile profile;
  if (o.profile) profile.attach(context);
  Samples samples;
  double all = 0;
  const std::unique_ptr<Model> model = make_model(o.model);
  Config(model->settings()).set(o.settings);
  const SampleShape shape = model->example();
  const std::unique_ptr<Module> net = model->make(build, shape);
  if (!build.learns) fill_weights(context, *net);
  samples = build.learns ? train(context, *net, shape, o, &all) : infer(context, *net, shape, o);
  if (o.profile) std::fputs(profile.table().c_str(), stdout);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  nlohmann::json line = {
      {"program",
       concat(o.precision == Precision::kF32 ? std::string("umbra") : concat("umbra ", name_of(o.precision)),
              o.kernels.empty() ? "" : " with " + o.kernels)},
      {"model", o.model},
      {"mode", o.mode},
      {"batch", o.batch},
      {"boxes", o.mode == "train" ? o.batch : o.boxes},
      {"forward_ms", samples.forward},
      {"backward_ms", samples.backward},
      {"optimizer_ms", samples.optimizer},
      {"total_ms", samples.total},
      {"all_ms", all},  // of as many replayed steps in a row; 0 without a graph
      {"device", name_of(context.device().kind)},
      {"graph", all > 0},
      {"device_memory_mb", static_cast<double>(context.arena.bytes_held()) / (1 << 20)},
      {"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
  for (const Setting& setting : model->settings()) {  // "channels": 20
    if (const auto* number = std::get_if<std::int64_t*>(&setting.value))
      line[setting.key.substr(setting.key.find('.') + 1)] = **number;
  }
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Options o;
  CLI::App app("Times a network of umbra; prints one line of JSON");
  app.add_option("--model", o.model, "one of models/models.def")
      ->check(CLI::IsMember(umbra::model_names()))
      ->capture_default_str();
  app.add_option("settings", o.settings, "key=value of the model, e.g. model.channels=200");
  app.add_option("--batch", o.batch, "samples per step")->capture_default_str();
  app.add_option("--steps", o.steps, "timed steps, or timed passes over all samples")->capture_default_str();
  app.add_option("--boxes", o.boxes, "samples of an inference pass")->capture_default_str();
  app.add_option("--mode", o.mode, "train or inference")->check(CLI::IsMember({"train", "inference"}));
  app.add_option_function<std::string>(
         "--precision", [&](const std::string& name) { o.precision = *umbra::precision_named(name); },
         "fp32, tf32 or bf16, of convolutions and linear layers; in inference bf16 also stores the "
         "weights of convolutions")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  app.add_option("--device", o.device, "cpu, cuda or auto")->capture_default_str();
  app.add_option("--graph", o.graph, "on a GPU: replay the captured step, or queue it op by op")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--kernels", o.kernels, "rungs to prefer, e.g. conv3d=cudnn on a GPU");
  app.add_flag("--profile", o.profile, "print the cost of every op");
  CLI11_PARSE(app, argc, argv);
  try {
    umbra::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_step: %s\n", error.what());
    return 1;
  }
  return 0;
}
