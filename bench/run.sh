#!/usr/bin/env bash
# Measures the figures of this repository:
#   bash bench/run.sh cpu [NAME]     umbra and PyTorch in turns on this machine, then every kernel on every problem
# Writes bench/results/NAME/cpu.json (every sample, machine and versions), cpu.md (the tables), kernels.json and kernels.md. The
# default NAME is derived from the processor's name. Run nothing else on the machine meanwhile: it would distort the figures.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = cpu ] || { echo "usage: bash bench/run.sh cpu [NAME]" >&2; exit 2; }
source tools/packages.sh
install_packages "${build_packages[@]}" libbenchmark-dev libopenblas-dev python3 python3-torch

cmake --preset release >/dev/null
cmake --build --preset release --target bench_machine bench_train_step bench_kernels
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
threads=$OMP_NUM_THREADS
# One thread per core for both programs: two threads on one core would halve the measured rate.
bind=(env OMP_PROC_BIND=true OMP_PLACES=cores)
machine=$("${bind[@]}" build/bench/machine)
name=${2:-$(python3 -c 'import json, re, sys
m = json.loads(sys.argv[1])
print(re.sub("[^a-z0-9]+", "-", m["cpu"].lower()).strip("-") + "-%d-threads" % m["threads"])' "$machine")}
out=bench/results/$name
mkdir -p "$out"
samples=$(mktemp)
trap 'rm -f "$samples"' EXIT
echo "$machine"

# PyTorch as its users would tune it: freed memory kept, huge pages, AVX-512, one pool of threads, and no variable that
# disables OpenBLAS' best kernels.
peer() {
  env -u OPENBLAS_CORETYPE "${bind[@]}" GLIBC_TUNABLES=glibc.malloc.hugetlb=1 MALLOC_TRIM_THRESHOLD_=10000000000 \
    MALLOC_MMAP_THRESHOLD_=10000000000 ATEN_CPU_CAPABILITY=avx512 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS="$threads" \
    python3 bench/peers/pytorch_um_resnet.py "$@" >>"$samples"
}
umbra() { "${bind[@]}" build/bench/train_step "$@" >>"$samples"; }
bf16=(fp32 $(grep -qw avx512_bf16 /proc/cpuinfo && echo bf16 || true))

for round in 1 2 3; do
  for config in "20 40" "100 8" "200 4"; do
    read -r channels steps <<<"$config"
    echo "round $round of 3, C = $channels"
    for precision in "${bf16[@]}"; do umbra model.channels="$channels" --steps "$steps" --precision "$precision"; done
    for variant in plain channels_last live; do peer --channels "$channels" --steps "$steps" --variant "$variant"; done
    for precision in fp32 bf16; do  # inference in bf16 runs on every CPU
      umbra model.channels="$channels" --steps 1 --mode inference --precision "$precision"
    done
    for variant in plain channels_last; do peer --channels "$channels" --steps 1 --mode inference --variant "$variant"; done
  done
  echo "round $round of 3, ResNet18"
  umbra --model resnet18 --batch 64 --steps 4
  for variant in plain channels_last; do peer --model resnet18 --batch 64 --steps 4 --variant "$variant"; done
done
# Every rung, including the peer's, on the layers of the UM ResNet at C = 20, 100, 200 and on matrix products.
layers='(conv|stem3d).*/n32 c|batch_norm.*/o(64 c(20|100|200)|8 c(40|200|400)|1 c(80|400|800)) i32 relu|adam.*/n(299142|6255862|24663762) adam decay0/'
products='linear_.*/(n2048|n256 |n32 f800:800|n512|n1024 |n4096).*nobias'
build/bench/bench_kernels --benchmark_filter="^($layers|$products)" --benchmark_min_time=0.03 --benchmark_repetitions=3 \
  --benchmark_report_aggregates_only=true --benchmark_format=json >"$out/kernels.json"
python3 bench/report.py --machine "$machine" --samples "$samples" --out "$out"
