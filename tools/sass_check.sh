#!/usr/bin/env bash
# Checks the machine code of the tensor-core kernels: disassembles the code for sm_90a in a program and examines its
# instructions.
#   tools/sass_check.sh [PROGRAM…]     (build/tests/cuda/cuda_tests)
# A wgmma rung (cuda_4_wgmma, cuda_5_tma, cuda_6_specialised, cuda_7_cluster) must multiply with HGMMA, the warpgroup's
# instruction, and never with HMMA, a warp's; from cuda_5 on it must load tiles with UTMALDG (or UBLKCP, a bulk copy), from
# cuda_6 on reallocate registers (USETMAXREG). No kernel may keep numbers in local memory (LDL, STL). If there is no
# disassembler (cuobjdump and nvdisasm in PATH, in the CUDA Toolkit or in a triton wheel), prints a message and exits with
# status 77.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=("$here/../build/tests/cuda/cuda_tests")

# find_tool NAME: prints its path, or nothing.
find_tool() {
  local packages path
  if command -v "$1"; then return; fi
  packages=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])' 2>/dev/null || true)
  for path in "${CUDA_HOME:-/usr/local/cuda}/bin" $(printf '%s/triton/backends/nvidia/bin ' $packages); do
    if [ -x "$path/$1" ]; then echo "$path/$1"; return; fi
  done
}
cuobjdump=$(find_tool cuobjdump)
nvdisasm=$(find_tool nvdisasm)
if [ -z "$cuobjdump" ] || [ -z "$nvdisasm" ]; then
  echo "skipped: cuobjdump and nvdisasm are needed to disassemble, but were not both found"
  exit 77
fi
PATH=$(dirname "$nvdisasm"):$PATH  # cuobjdump calls nvdisasm

listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
for program in "${programs[@]}"; do
  [ -e "$program" ] || { echo "$program: no such program" >&2; exit 1; }
  "$cuobjdump" -sass -arch sm_90a "$program" >>"$listing"
done
python3 "$here/sass_check.py" "$listing"
