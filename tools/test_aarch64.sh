#!/usr/bin/env bash
# Cross-compiles umbra for 64-bit Arm (Grace) and runs the tests of the engine under qemu-user. Called by
# `tools/test.sh aarch64`, which installs the compiler and the emulator.
#
# Runs every test of tests/engine, tests/forest and tests/dist (the gauntlet over all kernels, the mutants, the registry, the
# tape, the optimizers, the bits of a forest; several processes in one). Does not run the tests of files, data and tools, which would need HDF5 and FFTW for
# Arm; they contain no code that depends on the machine.
#
# Highway and GoogleTest for Arm are packages of the same Debian or Ubuntu release, unpacked into the build folder with a
# separate apt configuration: the host's package lists, architectures and libraries do not change.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build-aarch64
packages=(libhwy1 libhwy-dev libgtest-dev)

fetch_packages() {
  local apt=$build/apt
  rm -rf "$apt" "$build/sysroot.part"
  mkdir -p "$apt"/{lists,cache,debs}
  : >"$apt/status"
  # The machine's own package sources, for another architecture. A source without Arm packages may fail; only the download
  # below has to find its packages.
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache")
  apt-get "${options[@]}" update || true
  (cd "$apt/debs" && apt-get "${options[@]}" download "${packages[@]}") || {
    echo "tools/test_aarch64.sh: the package sources of this machine have no ${packages[*]} for arm64" >&2
    return 1
  }
  local deb
  for deb in "$apt"/debs/*.deb; do dpkg -x "$deb" "$build/sysroot.part"; done
  mv "$build/sysroot.part" "$build/sysroot"
  rm -rf "$apt"
}

if [ "$(uname -m)" = aarch64 ]; then
  exec tools/test.sh release  # an Arm machine runs all tests, without an emulator
fi
[ -d "$build/sysroot" ] || fetch_packages
cmake --preset aarch64
cmake --build --preset aarch64
ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" --timeout 900
