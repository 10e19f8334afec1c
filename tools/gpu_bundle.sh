#!/usr/bin/env bash
# Packs everything that tools/gpu_check.sh needs on a machine with an NVIDIA GPU and Python 3: programs with the shared
# libraries they need (including the C library), tests, goldens, scripts. The driver, cuDNN, cuBLASLt and PyTorch are those
# of the machine, where gpu_check.sh looks for them.
#   tools/gpu_bundle.sh [CATALOG.h5]       -> build/gpu_bundle/ and build/umbra_gpu_bundle.tar.xz (below 60 MB)
# `extra --stages training` trains on the catalog (from tools/import camels …); without one it makes a mock universe.
# On the other machine:  tar xf umbra_gpu_bundle.tar.xz && bash gpu_bundle/gpu_check.sh triage
# (without xz:  python3 -m tarfile -e umbra_gpu_bundle.tar.xz)
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/packages.sh
install_packages "${build_packages[@]}" "${test_packages[@]}" xz-utils
cmake --preset release -DUMBRA_CUDA=ON -DUMBRA_PEERS=ON >/dev/null  # with the headers of cuDNN and cuBLASLt
libraries=/lib/$(uname -m)-linux-gnu
targets=(cuda_tests peers_tests tool_train tool_mock bench_machine bench_train_step bench_kernels)
# The launches of a step are those of the emulated GPU, which needs Boost.Context.
known=$(cmake --build --preset release --target help)
if grep -q '^step_launches:' <<<"$known"; then targets+=(step_launches) model=yes; else model=; fi
cmake --build --preset release --target "${targets[@]}"

bundle=build/gpu_bundle
rm -rf "$bundle"
mkdir -p "$bundle"/{bin,lib,glibc,goldens,peers,configs,gpu}
programs=(build/tests/cuda/cuda_tests build/tests/peers_tests build/tools/train build/tools/mock build/bench/machine build/bench/train_step
  build/bench/bench_kernels)
strip -o /dev/null "${programs[0]}"  # stops here if binutils are missing
for program in "${programs[@]}"; do strip -o "$bundle/bin/$(basename "$program")" "$program"; done
# All libraries that the loader finds, and the loader itself; libcuda comes with the driver.
for program in "${programs[@]}"; do ldd "$program"; done |
  sed -n 's/.*=> \(\/[^ ]*\) (0x.*/\1/p; s/^\t\(\/[^ ]*\) (0x.*/\1/p' | sort -u | grep -v 'libcuda\.so' |
  xargs cp -L -t "$bundle/lib"
# The C library is used only on machines whose own is older. It needs all its parts, because the driver may load them.
mv "$bundle"/lib/{ld-linux-*.so.*,libc.so.6,libm.so.6} "$bundle/glibc"
[ ! -e "$bundle/lib/libresolv.so.2" ] || mv "$bundle/lib/libresolv.so.2" "$bundle/glibc"
cp -L "$libraries"/lib{dl.so.2,pthread.so.0,rt.so.1,util.so.1} "$bundle/glibc"
cp tests/golden/*.safetensors "$bundle/goldens"
cp bench/peers/*pytorch*.py "$bundle/peers"
cp models/configs/*.toml "$bundle/configs"
cp tools/gpu/*.py "$bundle/gpu"
cp tools/gpu_check.sh tools/sass_check.sh tools/sass_check.py bench/report.py "$bundle"
mkdir "$bundle/sass" && cp tools/sass/*.py tools/sass/known.txt "$bundle/sass"
# What the model of the machine code expects of the kernels, if there is a disassembler (tools/disassembler.sh). It may refuse
# some of the code and give estimates all the same, or not understand that of another version of ptxas.
if [ -z "$model" ]; then
  echo "the bundle has no estimates of the model: Boost.Context is missing, so this build has no emulated GPU"
else
  log=build/gpu_bundle_model.log status=0
  bash tools/sass_check.sh --step --json="$bundle/model.json" >$log 2>&1 || status=$?
  if [ ! -e "$bundle/model.json" ]; then
    echo "the bundle has no estimates of the model ($log): $(tail -1 $log)"
  elif [ $status != 0 ]; then
    echo "tools/sass_check.sh refuses some of the kernels ($log): $(tail -1 $log)"
  fi
fi
[ -z "${1:-}" ] || cp "$1" "$bundle/catalog.h5"
git rev-parse HEAD >"$bundle/commit" 2>/dev/null || echo unknown >"$bundle/commit"
tar -C build -c gpu_bundle | xz -T0 >build/umbra_gpu_bundle.tar.xz  # all programs contain the same kernels, which gzip cannot exploit
size=$(stat -c %s build/umbra_gpu_bundle.tar.xz)
[ "$size" -lt 60000000 ] || { echo "the bundle has $size bytes, more than 60 MB" >&2; exit 1; }
echo "build/umbra_gpu_bundle.tar.xz: $((size / 1000000)) MB, $(ls "$bundle/lib" | wc -l) libraries"
