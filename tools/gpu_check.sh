#!/usr/bin/env bash
# Everything about umbra that only a GPU can show, in one command, from a bundle that tools/gpu_bundle.sh packed:
#   bash gpu_check.sh [OUT]                 all stages; results land in OUT (gpu_check_results)
#   STAGES="tests bench" bash gpu_check.sh  some of them
# STAGES also splits the check where one command may not take long: they need up to 7, 8, 5, 9 and 7 minutes.
#   STAGES=bench BENCH="squares layers200" bash gpu_check.sh    some problems of the benchmark, with all of its time
# The peers are the machine's own: cuDNN 9 and cuBLASLt of PyTorch's wheels or of the CUDA Toolkit, found below.
# Correctness first, then speed. Every stage has a time of its own and writes OUT/STAGE.json and OUT/STAGE.log, so that a
# run cut short still tells something. The exit status is 1 when a stage failed, 3 when there is no GPU.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:-gpu_check_results}" && cd "${1:-gpu_check_results}" && pwd)
stages=${STAGES:-environment tests sanitizer bench steps training profile}
export UMBRA_GOLDENS=$here/goldens
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
failed=()

# Where the libraries umbra is measured against are: beside PyTorch (nvidia/*/lib), in the CUDA Toolkit.
peer_folders() {
  python3 - <<'PYTHON' 2>/dev/null
import glob, site, sysconfig
roots = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"], *site.getsitepackages(), site.getusersitepackages()}
print("".join(":" + folder for root in sorted(roots) for folder in sorted(glob.glob(root + "/nvidia/*/lib"))), end="")
PYTHON
  echo ":${CUDA_HOME:-/usr/local/cuda}/lib64"
}

# A program of the bundle: with the machine's own C library where that is new enough, with the bundle's elsewhere. The
# driver is where the machine has it.
driver=${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}:/usr/local/nvidia/lib64$(peer_folders)
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
  umbra peers_tests --gtest_brief=1 >"$out/tests_peers.log" 2>&1 || status=1
  grep -h -E "FAILED|PASSED|Failure|repeat:" "$out"/tests_?.log "$out/tests_peers.log" || true
  bash "$here/sass_check.sh" "$here/bin/cuda_tests" || [ $? = 77 ] || status=1
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

# Every fast rung beside the best plans of cuDNN and cuBLASLt, in parts that each have a share of the time, the most
# telling first; OUT/kernels_*.json hold what was done until it was over, OUT/gpu_kernels.md the tables.
bench() {
  local begin=$SECONDS seconds=${BENCH_SECONDS:-285} part op left=0 status=0
  local parts=${BENCH:-squares layers200 rest volumes images layers20 layers100}
  local fast='(cuda_[3-9][^/]*|cudnn|cublaslt[_a-z]*)/' own='(cuda_[2-9]|cuda_1_block)'
  local -A weight=([layers200]=5) filter=(
    [squares]="linear_.*$fast.*/squares/"
    [layers200]="conv_(OP)/($fast|cuda_2).*c(200|400|800):.*/layers/"
    [layers100]="conv_(OP)/$fast.*c100:.*/layers/"
    [layers20]="conv_(OP)/$fast.*c(1|20|40|80):.*/layers/"
    [volumes]="conv_(OP)/$fast.* (tf32|bf16).*/volumes/"
    [images]="conv_(OP)/$fast.* (tf32|bf16).*/images/"
    [rest]="(stem3d|batch_norm|adam|conv_inference).*$own.*/layers/|peak"
    [fp32]="conv_(OP)/(cuda_2|cudnn/).* p[0-9x]+/(volumes|images)/"
    [conversions]="conv_(OP)/cudnn.conversions.*c200.*/layers/"
  )
  umbra machine cuda >"$out/machine.json" || return 1
  for part in $parts; do
    [ -n "${filter[$part]:-}" ] || { echo "no part $part; there are ${!filter[*]}"; return 1; }
    [[ ${filter[$part]} == *OP* ]] && left=$((left + 3 * ${weight[$part]:-2})) || left=$((left + ${weight[$part]:-2}))
  done
  for part in $parts; do
    for op in $([[ ${filter[$part]} == *OP* ]] && echo fprop dgrad wgrad || echo all); do
      # Half as much again as is due to it: what ends early leaves its rest to the others.
      local rest=$((seconds - (SECONDS - begin))) due=${weight[$part]:-2} share
      share=$((rest * due * 3 / (2 * left)))
      [ $share -le $rest ] || share=$rest
      left=$((left - due))
      [ $share -ge 5 ] || { echo "$part $op: no time left"; continue; }
      UMBRA_PEER_SECONDS=${UMBRA_PEER_SECONDS:-1} timeout -k 5 "$share" $(path_of bench_kernels) --device=cuda \
        --benchmark_filter="${filter[$part]//(OP)/$op}" --benchmark_min_time=0.01 --benchmark_repetitions=3 \
        --benchmark_report_aggregates_only=true --benchmark_out="$out/kernels_${part}_$op.json" \
        --benchmark_out_format=json >"$out/kernels_${part}_$op.log" 2>&1
      case $? in
        0) ;;
        124 | 137) echo "$part $op: cut short after $share s" ;;
        *) tail -n 3 "$out/kernels_${part}_$op.log"; status=1 ;;
      esac
    done
  done
  python3 "$here/report.py" --gpu "$out"/kernels_*.json --machine "$out/machine.json" --out "$out" || status=1
  sed -n '/^## Summary/,/^## conv/p' "$out/gpu_kernels.md"
  return $status
}

# The training step of umbra and of PyTorch in turns, in each precision, and 375 steps in one go.
steps() {
  : >"$out/steps.jsonl"
  local channels precision graph launch round
  for channels in 20 100 200; do
    for precision in fp32 tf32 bf16; do
      umbra train_step --device cuda model.channels=$channels --steps 375 --precision $precision >>"$out/steps.jsonl" || return 1
    done
  done
  pytorch() {
    python3 "$here/peers/pytorch_um_resnet.py" --device cuda --channels $channels --steps 50 "$@" >>"$out/steps.jsonl" || true
  }
  for round in 1 2; do
    for channels in 200 100 20; do
      for precision in bf16 tf32 fp32; do
        for graph in on off; do
          umbra train_step --device cuda model.channels=$channels --steps 100 --graph $graph --precision $precision \
            >>"$out/steps.jsonl" || return 1
        done
        [ $round = 2 ] && [ $precision = fp32 ] && continue
        for launch in graph $([ $round = 1 ] && echo eager); do
          pytorch --variant plain --launch $launch --precision $precision
        done
        [ $round = 1 ] || pytorch --variant channels_last --launch graph --precision $precision
      done
    done
  done
  # umbra's step with cuDNN's convolutions, conversions included.
  UMBRA_PEER_SECONDS=0.3 umbra train_step --device cuda model.channels=200 --steps 50 --precision tf32 --kernels conv3d=cudnn \
    >>"$out/steps.jsonl" || echo "no step with cuDNN"
  python3 - "$out/steps.jsonl" <<'PYTHON'
import collections, json, statistics, sys
groups = collections.defaultdict(list)
for line in open(sys.argv[1]):
    s = json.loads(line)
    launch = s.get("launch") or ("graph" if s["graph"] else "queued")
    precision = s.get("precision") or (s["program"].split()[1] if s["program"].split()[1:2] in (["tf32"], ["bf16"]) else "fp32")
    groups[s["channels"], precision, s["program"], launch] += s["total_ms"]
for (channels, precision, program, launch), times in sorted(groups.items()):
    print(f"C={channels} {precision} {program} {launch}: {statistics.median(times):.3f} ms of {len(times)} steps")
PYTHON
}

# The network trained with five seeds on the GPU in each precision and on the CPU in fp32: chi^2 must agree within the
# scatter of the seeds.
training() {
  local catalog=$here/catalog.h5 config=$here/configs/um_resnet.toml
  if [ ! -e "$catalog" ]; then
    catalog=$out/mock.h5
    umbra mock --out "$catalog" || return 1
  fi
  : >"$out/training.csv"
  local run device precision seed
  for run in "cuda fp32" "cuda tf32" "cuda bf16" "cpu fp32"; do
    read -r device precision <<<"$run"
    for seed in 1 2 3 4 5; do
      rm -rf "$out/run"
      umbra train --data "$catalog" --config "$config" --out "$out/run" train.seed=$seed device=$device precision=$precision \
        train.epochs=${EPOCHS:-15} >"$out/run.log" 2>&1 || { cat "$out/run.log"; return 1; }
      echo "$device $precision,$seed,$(grep ',validation,' "$out/run/metrics.csv" | tail -1)" >>"$out/training.csv"
    done
  done
  cat "$out/training.csv"
  python3 - "$out/training.csv" <<'PYTHON'
import statistics, sys
rows = [line.strip().split(",") for line in open(sys.argv[1])]
chi2 = {run: [float(r[6]) for r in rows if r[0] == run] for run in dict.fromkeys(r[0] for r in rows)}
mean = {r: statistics.mean(v) for r, v in chi2.items()}
spread = {r: statistics.stdev(v) for r, v in chi2.items()}
print("chi2 " + ", ".join("%s %.2f +- %.2f" % (r, mean[r], spread[r]) for r in chi2))
far = [r for r in chi2 if abs(mean[r] - mean["cpu fp32"]) > 2 * max(spread[r], spread["cpu fp32"]) * (2 / 5) ** 0.5]
print("as far from the CPU as chance does not explain: " + ", ".join(far) if far else "all within their scatter")
sys.exit(bool(far))
PYTHON
}

profile() {
  for channels in 20 200; do
    for precision in fp32 tf32 bf16; do umbra train_step --device cuda model.channels=$channels --steps 3 --precision $precision --profile; done
  done
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
