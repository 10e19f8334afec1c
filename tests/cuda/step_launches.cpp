// Prints the launches of one training step (forward, backward, Adam) of a network on a GPU, one line of JSON per op,
// in order: its name, its problem, the rung that the registry chose, the bytes that it must move, its kernels with
// their grids, and for products on tensor cores and the stem their blocks' work (tensor_work.h, stem_work.h). Nothing
// is executed: the emulated GPU only records. tools/sass_check.sh estimates a step from it.
//   build/tests/cuda/step_launches model.channels=200 --precision bf16
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/cuda/emulator/emulator.h"
#include "engine/io/config.h"
#include "engine/ops/conv/cuda_tensor_rung.h"
#include "engine/ops/matmul/cuda_tensor_rung.h"
#include "engine/optim/optimizer.h"
#include "models/model.h"
#include "tests/cuda/function_names.h"
#include "tests/cuda/stem_work.h"
#include "tests/cuda/tensor_work.h"

namespace umbra {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string model = "um_resnet";
  std::vector<std::string> settings;
  std::int64_t batch = 32;
  Precision precision = Precision::kBf16;
};

Json size_of_grid(const emulator::dim3& d) {
  return {d.x, d.y, d.z};
}

template <class O>
bool add_work(Json& line, const Op& op, Buffers buffers) {
  const auto* const product = dynamic_cast<const O*>(&op);
  if (product != nullptr) line["work"] = cuda_test::tensor_work(tensor_product_of(*product, buffers));
  return product != nullptr;
}

class Recorder {
 public:
  explicit Recorder(Context& context) {
    emulator::record_launches([this](const emulator::Launch& launch) {
      launches_.push_back({{"kernel", names_.at(launch.kernel)},
                           {"blocks", size_of_grid(launch.blocks)},
                           {"threads", size_of_grid(launch.threads)},
                           {"cluster", size_of_grid(launch.cluster)}});
    });
    context.observer = [this](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors, double) {
      print(op, kernel, tensors);
    };
  }
  ~Recorder() { emulator::record_launches(nullptr); }

 private:
  void print(const Op& op, const Kernel& kernel, std::span<const Tensor> tensors) {
    Json line = {{"op", op.name()},     {"problem", op.text()}, {"rung", kernel.rung},
                 {"bytes", op.bytes()}, {"flops", op.flops()},  {"launches", std::move(launches_)}};
    launches_ = Json::array();
    if (kernel.rung == "cuda_2_lanes") {
      if (const auto* stem = dynamic_cast<const Stem3dForward*>(&op))
        line["turns"] = cuda_test::stem_forward_turns(stem->geometry);
      if (const auto* stem = dynamic_cast<const Stem3dBackward*>(&op))
        line["turns"] = cuda_test::stem_backward_turns(stem->geometry);
    }
    if (kernel.rung == "cuda_7_cluster") {
      std::vector<void*> pointers;
      for (const Tensor& tensor : tensors) pointers.push_back(tensor.defined() ? tensor.data() : nullptr);
      const Buffers buffers(pointers);
      add_work<ConvFprop>(line, op, buffers) || add_work<ConvDgrad>(line, op, buffers) ||
          add_work<ConvWgrad>(line, op, buffers) || add_work<LinearFprop>(line, op, buffers) ||
          add_work<LinearDgrad>(line, op, buffers) || add_work<LinearWgrad>(line, op, buffers);
    }
    std::printf("%s\n", line.dump().c_str());
  }

  cuda_test::FunctionNames names_;
  Json launches_ = Json::array();
};

void run(const Options& o) {
  const Registry registry = make_registry();
  Context context(registry, {Device::Kind::kCuda, 0});
  context.precision = o.precision;
  Build build{.device = context.device(), .precision = context.precision};
  const std::unique_ptr<Model> model = make_model(o.model);
  Config(model->settings()).set(o.settings);
  const SampleShape shape = model->example();
  const std::unique_ptr<Module> net = model->make(build, shape);
  const auto adam = make_adam(net->parameters(), {});
  const Tensor input = allocate_tensor(context.device(), stacked(o.batch, shape.input), DType::kF32);
  const Tensor target = allocate_tensor(context.device(), {o.batch, shape.outputs}, DType::kF32);
  const std::vector<double> numbers = adam->advance(1e-3);
  const Tensor scalars =
      allocate_tensor(context.device(), {static_cast<std::int64_t>(numbers.size())}, DType::kF64);

  const Tensor one = allocate_tensor(context.device(), {1}, DType::kF32);  // as train keeps one
  const auto step = [&] {
    Tape tape(context);
    Pass pass{context, &tape, true, Rng(1, Purpose::kDropout), 0};
    tape.backward(mean_squared_error(pass, net->forward(pass, constant(input)), target), {.start = one});
    adam->apply(context, scalars);
  };
  emulator::record_launches([](const emulator::Launch&) {});
  step();  // the first one also packs the weights, which all others find packed
  const Recorder recorder(context);
  step();
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Options o;
  CLI::App app("Prints the launches of a training step on a GPU, one line of JSON per op");
  app.add_option("--model", o.model, "one of models/models.def")->capture_default_str();
  app.add_option("settings", o.settings, "key=value of the model, e.g. model.channels=200");
  app.add_option("--batch", o.batch, "samples per step")->capture_default_str();
  app.add_option_function<std::string>(
         "--precision", [&](const std::string& name) { o.precision = *umbra::precision_named(name); },
         "fp32, tf32 or bf16 (the default)")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  CLI11_PARSE(app, argc, argv);
  try {
    umbra::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "step_launches: %s\n", error.what());
    return 1;
  }
  return 0;
}
