#!/usr/bin/env bash
# Cross-compiles umbra for 64-bit Arm (Grace) and runs the tests of the engine under qemu-user. Called by
# `tools/test.sh aarch64`, which installs the compiler and the emulator.
#
# What runs: every test of tests/engine and tests/forest (the gauntlet over all kernels, the mutants, the registry, the tape, the
# optimizers, the bits of a forest). What does not: tests of files, data and tools, for which HDF5 and FFTW for Arm would be needed; they hold
# no code that knows the machine.
#
# Highway and GoogleTest for Arm come as packages of the same Debian or Ubuntu release, unpacked into the build folder by
# an apt of its own: the host's package lists, architectures and libraries stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build-aarch64
packages=(libhwy1 libhwy-dev libgtest-dev)

fetch_packages() {
  local apt=$build/apt
  rm -rf "$apt" "$build/sysroot.part"
  mkdir -p "$apt"/{lists,cache,debs}
  : >"$apt/status"
  # The machine's own package sources, asked for another architecture. A source that has no Arm packages may fail: what
  # counts is that the download below finds its packages.
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache")
  apt-get "${options[@]}" update || true
  (cd "$apt/debs" && apt-get "${options[@]}" download "${packages[@]}") || {
    echo "tools/test_aarch64.sh: the package sources of this machine hold no ${packages[*]} for arm64" >&2
    return 1
  }
  local deb
  for deb in "$apt"/debs/*.deb; do dpkg -x "$deb" "$build/sysroot.part"; done
  mv "$build/sysroot.part" "$build/sysroot"
  rm -rf "$apt"
}

if [ "$(uname -m)" = aarch64 ]; then
  exec tools/test.sh release  # an Arm machine runs everything, without an emulator
fi
[ -d "$build/sysroot" ] || fetch_packages
cmake --preset aarch64
cmake --build --preset aarch64
ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" --timeout 900
