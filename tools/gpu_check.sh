#!/usr/bin/env bash
# Everything about umbra that only a GPU can show, in one command, from a bundle that tools/gpu_bundle.sh packed:
#   bash gpu_check.sh [OUT]                 all stages; results land in OUT (gpu_check_results)
#   STAGES="tests bench" bash gpu_check.sh  some of them
# STAGES also splits the check where one command may not take long: they need up to 7, 8, 5, 9 and 7 minutes.
# Correctness first, then speed. Every stage has a time of its own and writes OUT/STAGE.json and OUT/STAGE.log, so that a
# run cut short still tells something. The exit status is 1 when a stage failed, 3 when there is no GPU.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:-gpu_check_results}" && cd "${1:-gpu_check_results}" && pwd)
stages=${STAGES:-environment tests sanitizer bench steps training profile}
export UMBRA_GOLDENS=$here/goldens
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
failed=()

# A program of the bundle: with the machine's own C library where that is new enough, with the bundle's elsewhere. The
# driver is where the machine has it.
driver=${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}:/usr/local/nvidia/lib64
search=$here/lib$driver loader=
if LD_LIBRARY_PATH=$search "$here/bin/machine" --version >/dev/null 2>&1; then
  umbra() { local name=$1; shift; LD_LIBRARY_PATH=$search "$here/bin/$name" "$@"; }
  path_of() { echo "env LD_LIBRARY_PATH=$search $here/bin/$1"; }
else
  search=$here/glibc:$search
  loader=$(ls "$here"/glibc/ld-linux-*.so.* | head -1)
  umbra() { local name=$1; shift; "$loader" --library-path "$search" "$here/bin/$name" "$@"; }
  path_of() { echo "$loader --library-path $search $here/bin/$1"; }
fi

# stage NAME SECONDS COMMAND…: runs it if it is asked for.
stage() {
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  [[ " $stages " == *" $name "* ]] || return 0
  export -f umbra path_of "$1"
  export here loader search out
  timeout -k 10 "$limit" bash -c "$*" >"$out/$name.log" 2>&1
  status=$?
  printf '{"stage": "%s", "status": %d, "timed_out": %s, "seconds": %d, "limit": %d}\n' "$name" $status \
    "$([ $status = 124 ] || [ $status = 137 ] && echo true || echo false)" \
    $((SECONDS - start)) "$limit" >"$out/$name.json"
  echo "$name: $([ $status = 0 ] && echo passed || echo "FAILED (status $status)")"
  tail -n 3 "$out/$name.log" | sed 's/^/    /'
  [ $status = 0 ] || failed+=("$name")
}

environment() {
  cat "$here/commit"
  nvidia-smi || true
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv || true
  uname -a; nproc; ldd --version | head -1
  nvcc --version 2>/dev/null | tail -2
  python3 -c 'import torch; print("torch", torch.__version__, "cuda", torch.version.cuda, "cudnn", torch.backends.cudnn.version())' || true
  umbra machine cuda
}

# Every rung on every problem, the goldens, training: graph against queue, run against run, GPU against CPU. The references
# they are compared with run on the CPU, so eight shards side by side.
tests() {
  local shards=8 status=0 jobs=()
  for ((i = 0; i < shards; ++i)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i OMP_NUM_THREADS=2 umbra cuda_tests --gtest_output="json:$out/tests_$i.json" --gtest_brief=1 \
      >"$out/tests_$i.log" 2>&1 &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || status=1; done
  grep -h -E "FAILED|PASSED|Failure|repeat:" "$out"/tests_?.log || true
  return $status
}

# Small problems under compute-sanitizer: memory, then races on shared memory, in shards side by side.
sanitizer() {
  command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not installed here"; return 0; }
  local status=0 jobs=()
  for tool in memcheck racecheck; do
    for i in 0 1 2 3; do
      GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=$i OMP_NUM_THREADS=2 UMBRA_MOST_FLOPS=3e5 timeout 400 \
        compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 --print-limit 20 $(path_of cuda_tests) \
        --gtest_filter='*CudaGauntlet*:CudaTrain.AReplayed*' --gtest_brief=1 >"$out/$tool$i.log" 2>&1 &
      jobs+=($!)
    done
  done
  for job in "${jobs[@]}"; do wait "$job" || status=$?; done
  if grep -q 'Device not supported' "$out"/memcheck?.log; then
    echo "compute-sanitizer does not know this device"
    return 0
  fi
  grep -h -E "ERROR SUMMARY|RACECHECK SUMMARY|PASSED|FAILED" "$out"/{memcheck,racecheck}?.log || true
  return $status
}

# Naive rungs on the small network only: on large problems one of them would take the time of all others.
bench() {
  local layers='(n32 c|o(64 c(20|100|200)|8 c(40|200|400)|1 c(80|400|800)) i32|n(299142|6255862|24663762))'
  umbra machine cuda >"$out/machine.json"
  umbra bench_kernels --device=cuda --benchmark_min_time=0.02 --benchmark_repetitions=3 \
    --benchmark_filter="(cuda_[2-9]|cuda_1_block).*$layers|cuda_1_naive.*n32 c20:|linear_.*cuda_[2-9].*(n2048|n256 |n32 f800:800|n4096)|peak" \
    --benchmark_report_aggregates_only=true --benchmark_out="$out/kernels.json" --benchmark_out_format=json
}

# The training step of umbra and of PyTorch in turns, and 375 steps in one go.
steps() {
  : >"$out/steps.jsonl"
  for channels in 20 100 200; do
    umbra train_step --device cuda --channels $channels --steps 375 >>"$out/steps.jsonl" || return 1
  done
  for round in 1 2; do
    for channels in 20 100 200; do
      for graph in on off; do
        umbra train_step --device cuda --channels $channels --steps 100 --graph $graph >>"$out/steps.jsonl" || return 1
      done
      for variant in plain $([ $round = 1 ] && echo channels_last); do
        for launch in eager graph; do
          for precision in fp32 tf32; do
            python3 "$here/peers/pytorch_um_resnet.py" --device cuda --channels $channels --steps 50 --variant $variant \
              --launch $launch --precision $precision >>"$out/steps.jsonl" || true
          done
        done
      done
    done
  done
  cat "$out/steps.jsonl"
}

# The network trained on the GPU and on the CPU with five seeds: chi^2 must agree within the scatter of the seeds.
training() {
  local catalog=$here/catalog.h5 config=$here/configs/um_resnet.toml
  if [ ! -e "$catalog" ]; then
    catalog=$out/mock.h5
    umbra mock --out "$catalog" || return 1
  fi
  : >"$out/training.csv"
  for seed in 1 2 3 4 5; do
    for device in cuda cpu; do
      rm -rf "$out/run"
      umbra train --data "$catalog" --config "$config" --out "$out/run" train.seed=$seed device=$device \
        train.epochs=${EPOCHS:-15} >"$out/run.log" 2>&1 || { cat "$out/run.log"; return 1; }
      echo "$device,$seed,$(grep ',validation,' "$out/run/metrics.csv" | tail -1)" >>"$out/training.csv"
    done
  done
  cat "$out/training.csv"
  python3 - "$out/training.csv" <<'PYTHON'
import statistics, sys
rows = [line.strip().split(",") for line in open(sys.argv[1])]
chi2 = {device: [float(r[6]) for r in rows if r[0] == device] for device in ("cuda", "cpu")}
mean = {d: statistics.mean(v) for d, v in chi2.items()}
spread = {d: statistics.stdev(v) for d, v in chi2.items()}
print("chi2 cuda %.2f +- %.2f, cpu %.2f +- %.2f" % (mean["cuda"], spread["cuda"], mean["cpu"], spread["cpu"]))
sys.exit(abs(mean["cuda"] - mean["cpu"]) > 2 * max(spread.values()) * (2 / 5) ** 0.5)
PYTHON
}

profile() {
  for channels in 20 200; do umbra train_step --device cuda --channels $channels --steps 3 --profile; done
}


if ! umbra machine cuda >"$out/machine.log" 2>&1; then
  cat "$out/machine.log"
  echo '{"stage": "environment", "status": 3}' >"$out/environment.json"
  echo "no GPU can be used here: nothing was checked"
  exit 3
fi
stage environment 60 environment
stage tests 400 tests
stage sanitizer 420 sanitizer
stage bench 300 bench
stage steps 560 steps
stage training 400 training
stage profile 60 profile
[ ${#failed[@]} = 0 ] && echo "all stages passed; results in $out" || { echo "failed: ${failed[*]}"; exit 1; }
