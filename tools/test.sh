#!/usr/bin/env bash
# Builds umbra and runs every test. On Debian and Ubuntu it installs the packages that are missing (as root or with sudo).
#   tools/test.sh                      the release build and all tests
#   tools/test.sh asan|tsan|debug      the same with a sanitizer, or without optimisation
#   tools/test.sh aarch64              the engine, cross-compiled for Arm and run under qemu-user
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
source tools/packages.sh

install_packages "${build_packages[@]}" "${test_packages[@]}"
export OMP_WAIT_POLICY=passive  # tests share the cores: threads that spin would slow down the others
if [ "$preset" = aarch64 ]; then
  install_packages "${aarch64_packages[@]}"
  exec tools/test_aarch64.sh
fi
launch=()
if [ "$preset" = tsan ]; then
  install_packages "${tsan_packages[@]}"
  # Older ThreadSanitizers crash if the kernel randomises many bits of addresses; a container may forbid switching that off.
  ! setarch -R true 2>/dev/null || launch=(setarch -R)
fi
cache=()
if [ "$preset" = release ] && [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
  # A cache of this build, empty at first: the test of CONTRIBUTING.md builds a copy of the tree, and with it compiles only
  # what its examples change. As an option, because a build folder of the quickstart was configured without it.
  cache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  export CCACHE_DIR=$PWD/build/ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
fi
cmake --preset "$preset" "${cache[@]}"
"${launch[@]}" cmake --build --preset "$preset"
"${launch[@]}" ctest --test-dir "build${preset:+$([ "$preset" = release ] || echo "-$preset")}" --output-on-failure --parallel "$(nproc)" --timeout 900
