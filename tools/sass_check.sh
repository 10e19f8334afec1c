#!/usr/bin/env bash
# Checks the machine code of the CUDA kernels for sm_90a and estimates the loops of those on tensor cores from it; with --step
# also whole training steps. tools/sass/README.md describes the model and the rules.
#   tools/sass_check.sh [--step [--json=FILE]] [--shrink] [PROGRAM…]     (every object of build/ with kernels)
# A wgmma rung (cuda_4_wgmma, cuda_5_tma, cuda_6_specialised, cuda_7_cluster) must multiply with HGMMA, the warpgroup's
# instruction, and never with HMMA, a warp's; from cuda_5 on it must load tiles with UTMALDG (or UBLKCP, a bulk copy), from
# cuda_6 on reallocate registers (USETMAXREG). No kernel may keep numbers in local memory (LDL, STL). A producer must be faster
# than its multiplication, slices must overlap, a copy must not be in a loop, the blocks of a cluster must not arrive at its last
# barrier before their loads from each other are over, and a block must compare its cluster's size before a barrier of it,
# except for what tools/sass/known.txt lists;
# --shrink takes out of that list what has been mended. If there is no disassembler (cuobjdump and nvdisasm in
# build/disassembler, where tools/disassembler.sh puts them, in PATH, in the CUDA Toolkit or in a triton wheel), only reads
# ptxas' reports next to the objects, prints a message and exits with status 77.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../build
options=() programs=()
for argument in "$@"; do
  case $argument in
    --step) options+=(--step "$build/tests/cuda/step_launches") ;;
    --*) options+=("$argument") ;;
    *) programs+=("$argument") ;;
  esac
done
[ ${#programs[@]} -gt 0 ] || mapfile -t programs < <(find "$build/CMakeFiles/umbra_device.dir" -name '*.cu.o' 2>/dev/null | sort)
[ ${#programs[@]} -gt 0 ] || { echo "sass_check: build/ contains no objects with CUDA kernels; build with -DUMBRA_CUDA=ON or name a program" >&2; exit 1; }
reports=()
for program in "${programs[@]}"; do
  [ -e "$program" ] || { echo "$program: no such program" >&2; exit 1; }
  [ ! -e "$program.ptxas" ] || reports+=("$program.ptxas")
done
options+=(--objects "${programs[@]}" --ptxas ${reports[@]+"${reports[@]}"})

# find_tool NAME: prints its path, or nothing.
find_tool() {
  local packages path
  packages=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])' 2>/dev/null || true)
  for path in "${UMBRA_DISASSEMBLER:-$build/disassembler}" ${PATH//:/ } "${CUDA_HOME:-/usr/local/cuda}/bin" \
    $(printf '%s/triton/backends/nvidia/bin ' $packages); do
    if [ -x "$path/$1" ]; then echo "$path/$1"; return; fi
  done
}
cuobjdump=$(find_tool cuobjdump)
nvdisasm=$(find_tool nvdisasm)
if [ -z "$cuobjdump" ] || [ -z "$nvdisasm" ]; then
  python3 "$here/sass_check.py" "${options[@]}"
  echo "skipped: cuobjdump and nvdisasm are needed to disassemble, but were not both found; tools/disassembler.sh installs them"
  exit 77
fi
PATH=$(dirname "$nvdisasm"):$PATH  # cuobjdump calls nvdisasm

listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
for program in "${programs[@]}"; do "$cuobjdump" -sass -arch sm_90a "$program" >>"$listing"; done
python3 "$here/sass_check.py" "${options[@]}" --listing "$listing"
