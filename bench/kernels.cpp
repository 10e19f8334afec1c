// Times every rung of every op on the problems of problems.h, f32, on normally distributed data. Counters:
// useful FLOP/s and bytes/s (each buffer counted once). Use Google Benchmark's own flags, e.g.
//   build/bench/bench_kernels --benchmark_filter=conv_fprop --benchmark_out=conv.json
//   build/bench/bench_kernels --device=cuda --benchmark_filter=/layers/
// On a GPU each time is that of a graph of many launches, measured with events, with operands as warm as a
// training step leaves them. Names end in the set of the problem. Peers, libraries that umbra is compared
// with, are timed as well: the call alone, in the library's own layout ("cudnn"), and with the conversions
// from and to umbra's layout ("cudnn+conversions").
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <tuple>

#include "bench/peers/peers.h"
#include "bench/problems.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"
#include "engine/registry/registry.h"
#include "engine/runtime/backend.h"
#include "engine/runtime/graph.h"
#include "engine/runtime/storage.h"

namespace umbra {
namespace {

// The first `count` elements of a buffer.
void fill(const BufferSpec& spec, std::int64_t count, void* data, std::uint64_t stream) {
  const Rng rng(1, Purpose::kTest, stream);
  for (std::int64_t i = 0; i < count; ++i) {
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

// Threads that slept during a single-threaded kernel may wake up on the same core until the scheduler moves
// them.
void spread_threads() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  parallel_for(omp_get_max_threads(), [&](std::int64_t) {
    while (std::chrono::steady_clock::now() < end) continue;
  });
}

// The first million numbers of a buffer for a GPU, drawn once.
const Storage& drawn(const BufferSpec& spec, std::uint64_t stream) {
  constexpr std::int64_t kDrawn = 1000003;
  static std::map<std::tuple<DType, Fill, std::int64_t, std::uint64_t>, std::shared_ptr<Storage>> kept;
  auto& place = kept[{spec.dtype, spec.fill, spec.bound, stream}];
  if (place == nullptr) {
    place = allocate_storage({}, kDrawn * size_of(spec.dtype));
    fill(spec, kDrawn, place->data(), stream);
  }
  return *place;
}

// The memory of a problem on a device, filled. On a GPU there are too many numbers to draw each: the first
// million repeats.
struct Memory {
  Memory(Device device, const Kernel& kernel, const Op& op) : stream(device) {
    for (const BufferSpec& spec : op.buffers()) {
      const std::size_t bytes = static_cast<std::size_t>(spec.count) * size_of(spec.dtype);
      const std::uint64_t number = memory.size() + 1;
      memory.push_back(allocate_storage(device, bytes));
      if (device.kind == Device::Kind::kCpu) {
        fill(spec, spec.count, memory.back()->data(), number);
      } else {
        repeat(drawn(spec, number), *memory.back(), bytes);
      }
      pointers.push_back(memory.back()->data());
    }
    workspace = allocate_storage(device, kernel.workspace(op));
  }

  Stream stream;
  std::vector<std::shared_ptr<Storage>> memory;
  std::vector<void*> pointers;
  std::shared_ptr<Storage> workspace;

 private:
  void repeat(const Storage& host, const Storage& target, std::size_t bytes) {
    const Device device = stream.device();
    const Backend& backend = backend_of(device.kind);
    auto* const to = static_cast<std::byte*>(target.data());
    std::size_t done = std::min(bytes, host.bytes());
    backend.copy(device.index, stream.native(), to, host.data(), done);
    for (; done < bytes; done = std::min(bytes, 2 * done))
      backend.copy(device.index, stream.native(), to + done, to, std::min(done, bytes - done));
    stream.synchronize();
  }
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
             m.stream);  // the first use of the memory causes page faults
  for (auto _ : state) kernel.run(op, m.pointers, m.workspace->data(), m.stream);
  count_work(state, op);
}

// `launch` queues work in m's stream. The timed graph contains a short kernel many times: with one launch
// each, the launch would be half of the time.
void time_on_gpu(benchmark::State& state, const Op& op, const Memory& m,
                 const std::function<void()>& launch) {
  constexpr double kLongEnough = 2e-3;
  constexpr int kMostLaunches = 20;
  const Device device = m.stream.device();
  const Event start(device), end(device);
  const auto timed = [&](const auto& work) {
    start.record(m.stream);
    work();
    end.record(m.stream);
    m.stream.synchronize();
    return seconds_between(start, end);
  };
  timed(launch);
  const std::string error = backend_of(device.kind).launch_error(device.index);
  require(error.empty(), error);
  const int launches = static_cast<int>(std::clamp(kLongEnough / timed(launch), 1.0, 1.0 * kMostLaunches));
  const Graph graph(m.stream, [&] {
    for (int i = 0; i < launches; ++i) launch();
  });
  for (auto _ : state) state.SetIterationTime(timed([&] { graph.launch(m.stream); }) / launches);
  count_work(state, op);
}

// A problem that a GPU or a library does not support is reported as an error in its row.
void run_on_gpu(benchmark::State& state, const Kernel& kernel, const Op& op, Device device) {
  try {
    Memory m(device, kernel, op);
    time_on_gpu(state, op, m, [&] { kernel.run(op, m.pointers, m.workspace->data(), m.stream); });
  } catch (const Error& error) {
    state.SkipWithError(error.what());
  }
}

void run_peer(benchmark::State& state, const Peer& peer, const Op& op, Device device, bool converts) {
  try {
    backend_of(device.kind).select(device.index);
    const std::string why_not = peer.kernel.declines(op);
    require(why_not.empty(), why_not);
    Memory m(device, peer.kernel, op);
    const auto all = [&] { peer.kernel.run(op, m.pointers, m.workspace->data(), m.stream); };
    all();  // leaves the converted operands in the workspace
    const auto alone = [&] { peer.solve(op, m.workspace->data(), m.stream); };
    converts ? time_on_gpu(state, op, m, all) : time_on_gpu(state, op, m, alone);
    state.SetLabel(peer.plan(op));
  } catch (const Error& error) {
    state.SkipWithError(error.what());
  }
}

/// The reference is not timed on problems with more FLOPs than this.
constexpr double kPatience = 3e7;

// Removes --device=… from the command line. Listing the names needs no device.
Device device_of(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--device=", kList = "--benchmark_list_tests";
  std::string wanted = "cpu";
  bool lists = false;
  int kept = 0;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    lists = lists || argument == kList || argument == "--benchmark_list_tests=true";
    if (argument.starts_with(kFlag)) {
      wanted = argument.substr(kFlag.size());
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return lists && wanted == "cuda" ? Device{Device::Kind::kCuda, 0} : parse_device(wanted);
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

void register_peer(const Peer& peer, const Op& op, std::string_view set, Device device, bool converts) {
  if (!peer.rules_out(op).empty()) return;
  const std::string name =
      concat(peer.kernel.op, '/', peer.kernel.rung, converts ? "+conversions" : "", '/', op.text(), '/', set);
  benchmark::RegisterBenchmark(name.c_str(), [&peer, &op, device, converts](benchmark::State& state) {
    run_peer(state, peer, op, device, converts);
  })->UseManualTime();
}

void register_peers_for(const Ladder& ladder, const Op& op, std::string_view set, Device device) {
  for (const Peer& peer : gpu_peers()) {
    if (peer.kernel.op != ladder.op) continue;
    register_peer(peer, op, set, device, false);
    register_peer(peer, op, set, device, true);
  }
  for (const Peer& yardstick : gpu_yardsticks()) {
    if (yardstick.kernel.op == ladder.op) register_peer(yardstick, op, set, device, false);
  }
}

bool is_timed(const Kernel& kernel, const Op& op, Device device) {
  return kernel.dtype == DType::kF32 && kernel.device == device.kind && kernel.declines(op).empty() &&
         (kernel.rung != "reference" || op.flops() <= kPatience);
}

// Rung by rung on the CPU; problem by problem on a GPU, so that a run that is cut short still has complete
// comparisons.
void register_ladder(const Ladder& ladder, const std::vector<ProblemSet>& sets, Device device) {
  const auto add = [&](const Kernel& kernel, const Op& op, std::string_view set) {
    if (!is_timed(kernel, op, device)) return;
    register_problem(concat(ladder.op, "/", kernel.rung, "/", op.text(), set.empty() ? "" : "/", set), kernel,
                     op, device);
  };
  for (const auto& [set, problems] : sets) {
    if (device.kind == Device::Kind::kCpu) {
      for (const Kernel& kernel : ladder.kernels) {
        for (const auto& problem : problems) add(kernel, *problem, set);
      }
      continue;
    }
    for (const auto& problem : problems) {
      for (const Kernel& kernel : ladder.kernels) add(kernel, *problem, set);
      register_peers_for(ladder, *problem, set, device);
    }
  }
}

int run(int argc, char** argv) {
  const Device device = device_of(argc, argv);
  Registry registry = make_registry();
  register_openblas(registry);
  std::vector<std::vector<ProblemSet>> keep;  // the problems the registered benchmarks refer to
  for (const Ladder& ladder : registry.ladders()) {
    keep.push_back(benchmark_problems(ladder, device.kind));
    register_ladder(ladder, keep.back(), device);
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
