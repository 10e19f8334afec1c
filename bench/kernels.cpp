// Times every rung of every op on every problem its shapes.h lists, f32, on normally distributed data.
// Counters: useful FLOP/s and bytes/s (each buffer counted once). Use Google Benchmark's own
// flags, e.g.
//   build/bench/bench_kernels --benchmark_filter=conv_fprop --benchmark_repetitions=9
//   --benchmark_out=conv.json build/bench/bench_kernels --device=cuda     on a GPU: each time is that of a
//   graph of many launches, by events, with
//                                               operands as warm as a training step leaves them
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "bench/peers/peers.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/adam/op.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/linear/op.h"
#include "engine/ops/stem3d/op.h"
#include "engine/registry/registry.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "engine/runtime/storage.h"

namespace umbra {
namespace {

void fill(const BufferSpec& spec, void* data, std::uint64_t stream) {
  const Rng rng(1, Purpose::kTest, stream);
  for (std::int64_t i = 0; i < spec.count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const double value = spec.fill == Fill::kPositive ? 0.5 + rng.uniform(index) : rng.normal(index);
    switch (spec.dtype) {
      case DType::kF32:
        static_cast<float*>(data)[i] = static_cast<float>(value);
        break;
      case DType::kF64:
        static_cast<double*>(data)[i] = value;
        break;
      case DType::kI32:
        static_cast<std::int32_t*>(data)[i] =
            spec.bound > 0
                ? static_cast<std::int32_t>(rng.below(index, static_cast<std::uint64_t>(spec.bound)))
                : 0;
        break;
      case DType::kI64:
        static_cast<std::int64_t*>(data)[i] = 0;
        break;
      case DType::kBf16:
        static_cast<Bf16*>(data)[i] = Bf16(value);
        break;
    }
  }
}

// Threads that slept through a kernel of one thread may wake up on one core, until the scheduler looks at
// them.
void spread_threads() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  parallel_for(omp_get_max_threads(), [&](std::int64_t) {
    while (std::chrono::steady_clock::now() < end) continue;
  });
}

// The memory of a problem on a device, filled.
struct Memory {
  Memory(Device device, const Kernel& kernel, const Op& op) : stream(device) {
    for (const BufferSpec& spec : op.buffers()) {
      const std::size_t bytes = static_cast<std::size_t>(spec.count) * size_of(spec.dtype);
      const auto host = allocate_storage({}, bytes);
      fill(spec, host->data(), memory.size() + 1);
      memory.push_back(device.kind == Device::Kind::kCpu ? host : allocate_storage(device, bytes));
      if (memory.back() != host) {
        backend_of(device.kind)
            .copy(device.index, stream.native(), memory.back()->data(), host->data(), bytes);
        stream.synchronize();
      }
      pointers.push_back(memory.back()->data());
    }
    workspace = allocate_storage(device, kernel.workspace(op));
  }
  Stream stream;
  std::vector<std::shared_ptr<Storage>> memory;
  std::vector<void*> pointers;
  std::shared_ptr<Storage> workspace;
};

void count_work(benchmark::State& state, const Op& op) {
  const auto rate = [&](double amount) {
    return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["FLOP/s"] = rate(op.flops());
  state.counters["bytes/s"] = rate(op.bytes());
}

void run_on_cpu(benchmark::State& state, const Kernel& kernel, const Op& op) {
  Memory m({}, kernel, op);
  spread_threads();
  kernel.run(op, m.pointers, m.workspace->data(),
             m.stream);  // first use of the memory: pages, not arithmetic
  for (auto _ : state) kernel.run(op, m.pointers, m.workspace->data(), m.stream);
  count_work(state, op);
}

void run_on_gpu(benchmark::State& state, const Kernel& kernel, const Op& op, Device device) {
  constexpr int kLaunches = 20;  // of a graph: a launch of its own would be half of a short kernel's time
  Memory m(device, kernel, op);
  const auto launch = [&] { kernel.run(op, m.pointers, m.workspace->data(), m.stream); };
  launch();
  const std::string error = backend_of(device.kind).launch_error(device.index);
  if (!error.empty()) return state.SkipWithError(error.c_str());
  const Graph graph(m.stream, [&] {
    for (int i = 0; i < kLaunches; ++i) launch();
  });
  graph.launch(m.stream);
  const Event start(device), end(device);
  for (auto _ : state) {
    start.record(m.stream);
    graph.launch(m.stream);
    end.record(m.stream);
    m.stream.synchronize();
    state.SetIterationTime(seconds_between(start, end) / kLaunches);
  }
  count_work(state, op);
}

/// Plain loops are not timed on more than this.
constexpr double kPatience = 3e7;

// The layers of the UM ResNet with `channels` channels on 32 boxes.
void add_layers(std::string_view op, std::int64_t channels, Problems& problems) {
  const auto f32 = DType::kF32;
  for (const ConvGeometry& g : um_resnet_convolutions(32, channels)) {
    for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
      if (op == "conv_fprop") problems.push_back(std::make_unique<ConvFprop>(f32, g, precision));
      if (op == "conv_dgrad") problems.push_back(std::make_unique<ConvDgrad>(f32, g, precision));
      if (op == "conv_wgrad") problems.push_back(std::make_unique<ConvWgrad>(f32, g, precision));
    }
    const bool main_path = g.kernel[2] == 3, last = main_path && g.stride[2] == 1;
    if (op == "conv_inference" && g.in_channels > 1) {
      for (const ConvOperands operands : kConvOperands)
        problems.push_back(std::make_unique<ConvInference>(f32, g, 1e-5, main_path, last, operands));
    }
  }
  if (op == "adam_step") {
    const std::int64_t live = channels == 20 ? 299142 : channels == 100 ? 6255862 : 24663762;
    problems.push_back(std::make_unique<AdamStep>(f32, live, 0.9, 0.999, 1e-8, 0.0, false));
  }
  const StemGeometry stem{32,        1,         channels,  {25, 25, 25}, {3, 3, 3},
                          {2, 2, 2}, {3, 3, 3}, {3, 3, 3}, {2, 2, 2},    {1, 1, 1}};
  if (op == "stem3d_forward") problems.push_back(std::make_unique<Stem3dForward>(f32, stem, 1e-5, 0.1));
  if (op == "stem3d_inference") problems.push_back(std::make_unique<Stem3dInference>(f32, stem, 1e-5));
  if (op == "stem3d_backward") problems.push_back(std::make_unique<Stem3dBackward>(f32, stem));
  for (const auto& [outer, wide] : {std::pair{64, 1}, {8, 2}, {1, 4}}) {
    const std::int64_t c = wide * channels;
    for (const bool residual : {false, true}) {
      if (op == "batch_norm_relu_forward")
        problems.push_back(std::make_unique<BatchNormReluForward>(f32, outer, c, 32, 1e-5, 0.1, residual));
      if (op == "batch_norm_relu_inference")
        problems.push_back(std::make_unique<BatchNormReluInference>(f32, outer, c, 32, 1e-5, residual));
      if (op == "batch_norm_relu_backward")
        problems.push_back(std::make_unique<BatchNormReluBackward>(f32, outer, c, 32, residual));
    }
  }
}

/// Problems too large for the tests: the network's layers, matrix products of the sizes that layers have, and
/// squares.
void add_large(std::string_view op, Problems& problems) {
  for (const std::int64_t channels : {20, 100, 200}) {
    Problems layers;
    add_layers(op, channels, layers);
    for (auto& layer : layers) {
      const auto same = [&](const auto& problem) { return problem->text() == layer->text(); };
      if (std::none_of(problems.begin(), problems.end(), same)) problems.push_back(std::move(layer));
    }
  }
  struct Size {
    std::int64_t rows, in, out;
  };
  for (const Size s : {Size{2048, 5400, 200},
                       {256, 3200, 400},
                       {32, 800, 800},
                       {512, 512, 512},
                       {1024, 1024, 1024},
                       {2048, 2048, 2048},
                       {4096, 4096, 4096}}) {
    if (op == "linear_fprop")
      problems.push_back(std::make_unique<LinearFprop>(DType::kF32, s.rows, s.in, s.out, false));
    if (op == "linear_dgrad")
      problems.push_back(std::make_unique<LinearDgrad>(DType::kF32, s.rows, s.in, s.out, false));
    if (op == "linear_wgrad")
      problems.push_back(std::make_unique<LinearWgrad>(DType::kF32, s.rows, s.in, s.out, false));
  }
}

}  // namespace
}  // namespace umbra

namespace umbra {
namespace {

// Takes --device=… out of the command line.
Device device_of(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--device=";
  Device device;
  int kept = 0;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with(kFlag)) {
      device = parse_device(argv[i] + kFlag.size());
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return device;
}

void register_problem(const std::string& name, const Kernel& kernel, const Op& op, Device device) {
  if (device.kind == Device::Kind::kCpu) {
    benchmark::RegisterBenchmark(name.c_str(), [&kernel, &op](benchmark::State& state) {
      run_on_cpu(state, kernel, op);
    })->UseRealTime();
  } else {
    benchmark::RegisterBenchmark(name.c_str(), [&kernel, &op, device](benchmark::State& state) {
      run_on_gpu(state, kernel, op, device);
    })->UseManualTime();
  }
}

int run(int argc, char** argv) {
  const Device device = device_of(argc, argv);
  Registry registry = make_registry();
  register_peers(registry);
  std::vector<Problems> keep;  // the problems the registered benchmarks refer to
  for (const OpFamily& family : registry.families()) {
    keep.push_back(family.problems(DType::kF32));
    add_large(family.op, keep.back());
    for (const Kernel& kernel : family.kernels) {
      if (kernel.dtype != DType::kF32 || kernel.device != device.kind) continue;
      for (const auto& problem : keep.back()) {
        if (!kernel.declines(*problem).empty()) continue;
        if (kernel.rung == "reference" && problem->flops() > kPatience) continue;
        register_problem(concat(family.op, "/", kernel.rung, "/", problem->text()), kernel, *problem, device);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  try {
    return umbra::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_kernels: %s\n", error.what());
    return 1;
  }
}
