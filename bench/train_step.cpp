// Times the UM ResNet (or ResNet18): training steps (forward, backward, optimiser) or inference, on boxes
// like a catalog's, and prints one line of JSON with every sample in milliseconds. bench/run.sh runs it
// beside its peers.
//   build/bench/train_step --channels 200 --steps 10
//   build/bench/train_step --channels 200 --mode inference --boxes 1000
//   build/bench/train_step --channels 200 --profile       what every op cost, dearest first
//   build/bench/train_step --model resnet18 --batch 64    training steps on 3 x 64 x 64 images
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/cpu/bf16_tile.h"
#include "engine/optim/optimizer.h"
#include "engine/train/profile.h"
#include "models/resnet18.h"
#include "models/um_resnet.h"

namespace umbra {
namespace {

struct Options {
  std::int64_t channels = 20, batch = 32, steps = 10, boxes = 1000;
  std::string model = "um_resnet", mode = "train", precision = "fp32";
  bool profile = false;
};

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// 4 % of the voxels hold a halo, as in the boxes of the paper.
Tensor make_boxes(Context& context, std::int64_t count, std::uint64_t stream) {
  const Tensor input = allocate_tensor({}, {count, 1, 25, 25, 25}, DType::kF32);
  const Rng rng(1, Purpose::kTest, stream);
  std::vector<double> values(static_cast<std::size_t>(input.count()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double u = rng.uniform(i);
    values[i] = u < 0.04 ? 0.5 + 25 * u : 0.0;
  }
  from_host(values, input, context.stream);
  return input;
}

Tensor make_images(Context& context, std::int64_t count) {
  const Tensor images = allocate_tensor({}, {count, 3, 64, 64}, DType::kF32);
  std::vector<double> values(static_cast<std::size_t>(images.count()));
  const Rng rng(1, Purpose::kTest);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
  from_host(values, images, context.stream);
  return images;
}

struct Samples {
  std::vector<double> forward, backward, optimizer, total;  // ms
};

Samples train(Context& context, Module& net, const std::function<Var(Pass&)>& loss_of, std::int64_t steps) {
  const auto adam = make_adam(net.parameters(), {});
  Samples samples;
  for (std::int64_t step = -2; step < steps; ++step) {  // two to warm up
    const double start = now_ms();
    Tape tape(context);
    Pass pass{context, &tape, true, Rng(1, Purpose::kDropout), static_cast<std::uint64_t>(step + 2)};
    const Var loss = loss_of(pass);
    const double forward = now_ms();
    tape.backward(loss);
    const double backward = now_ms();
    adam->step(context, 1e-3);
    const double end = now_ms();
    if (step < 0) continue;
    samples.forward.push_back(forward - start);
    samples.backward.push_back(backward - forward);
    samples.optimizer.push_back(end - backward);
    samples.total.push_back(end - start);
  }
  return samples;
}

Samples train_um_resnet(Context& context, UmResNet& net, const Options& o) {
  const Tensor input = make_boxes(context, o.batch, 1);
  const Tensor target = allocate_tensor({}, {o.batch, 14}, DType::kF32);
  const Tensor sigma = allocate_tensor({}, {14}, DType::kF32);
  from_host(std::vector<double>(static_cast<std::size_t>(target.count()), 0.5), target, context.stream);
  from_host(std::vector<double>(14, 1.0), sigma, context.stream);
  const auto loss = [&](Pass& pass) {
    return chi2_linear(pass, net.forward(pass, constant(input)), target, sigma);
  };
  return train(context, net, loss, o.steps);
}

Samples train_resnet18(Context& context, ResNet18& net, const Options& o) {
  const Tensor images = make_images(context, o.batch), labels = allocate_tensor({}, {o.batch}, DType::kI32);
  for (std::int64_t n = 0; n < o.batch; ++n) {
    labels.values<std::int32_t>()[static_cast<std::size_t>(n)] = static_cast<std::int32_t>(n % 1000);
  }
  const auto loss = [&](Pass& pass) {
    return softmax_cross_entropy(pass, net.forward(pass, constant(images)), labels);
  };
  return train(context, net, loss, o.steps);
}

// A network for inference alone comes without values.
void fill_weights(Context& context, const UmResNet& net) {
  for (const Parameter& p : net.parameters()) {
    const std::vector<double> values(static_cast<std::size_t>(p.value().count()), 0.01);
    from_host(values, p.value().elements(0, p.value().count()), context.stream);
  }
}

Samples infer(Context& context, UmResNet& net, const Options& o) {
  const Tensor input = make_boxes(context, o.batch, 1);
  Samples samples;
  for (std::int64_t step = -1; step < o.steps; ++step) {
    const double start = now_ms();
    for (std::int64_t done = 0; done < o.boxes; done += o.batch) {
      const std::int64_t n = std::min(o.batch, o.boxes - done);
      const Tensor part = input.elements(0, n * 15625).reshaped({n, 1, 25, 25, 25});
      Pass pass{context};
      net.forward(pass, constant(part));
    }
    if (step >= 0) samples.total.push_back(now_ms() - start);
  }
  return samples;
}

void run(const Options& o) {
  const Registry registry = make_registry();
  Context context(registry, {});
  if (o.precision == "bf16") {
    require(bf16_tile_supported(), "this CPU has no bfloat16 dot product");
    context.precision = Precision::kBf16;
  }
  Build build{.learns = o.mode == "train"};
  Profile profile;
  if (o.profile) profile.attach(context);
  Samples samples;
  if (o.model == "resnet18") {
    ResNet18 net(build, {.extent = 64});
    samples = train_resnet18(context, net, o);
  } else {
    UmResNet net(build, {.channels = o.channels});
    if (!build.learns) fill_weights(context, net);
    samples = o.mode == "train" ? train_um_resnet(context, net, o) : infer(context, net, o);
  }
  if (o.profile) std::fputs(profile.table().c_str(), stdout);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const nlohmann::json line = {{"program", o.precision == "fp32" ? "umbra" : "umbra bf16"},
                               {"model", o.model},
                               {"mode", o.mode},
                               {"channels", o.channels},
                               {"batch", o.batch},
                               {"boxes", o.mode == "train" ? o.batch : o.boxes},
                               {"forward_ms", samples.forward},
                               {"backward_ms", samples.backward},
                               {"optimizer_ms", samples.optimizer},
                               {"total_ms", samples.total},
                               {"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Options o;
  CLI::App app("Times a network of umbra; prints one line of JSON");
  app.add_option("--model", o.model, "um_resnet, or resnet18 (training only)")
      ->check(CLI::IsMember({"um_resnet", "resnet18"}));
  app.add_option("--channels", o.channels, "C of the UM ResNet")->capture_default_str();
  app.add_option("--batch", o.batch, "boxes per step")->capture_default_str();
  app.add_option("--steps", o.steps, "timed steps, or timed passes over all boxes")->capture_default_str();
  app.add_option("--boxes", o.boxes, "boxes of an inference pass")->capture_default_str();
  app.add_option("--mode", o.mode, "train or inference")->check(CLI::IsMember({"train", "inference"}));
  app.add_option("--precision", o.precision, "fp32 or bf16, of convolutions")
      ->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_flag("--profile", o.profile, "print what every op cost");
  CLI11_PARSE(app, argc, argv);
  try {
    umbra::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_step: %s\n", error.what());
    return 1;
  }
  return 0;
}
