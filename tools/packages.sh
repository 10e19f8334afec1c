# The Debian and Ubuntu packages umbra uses, and a function that installs those that are missing. Sourced by the
# other scripts in this folder.
build_packages=(g++ cmake ninja-build pkg-config libhwy-dev libhdf5-dev zlib1g-dev libfftw3-dev libtomlplusplus-dev libcli11-dev
  nlohmann-json3-dev libcfitsio-dev libjpeg-dev libpng-dev libopenmpi-dev openmpi-bin)
test_packages=(libgtest-dev libboost-context-dev libbenchmark-dev libopenblas-dev python3 python3-h5py python3-matplotlib
  ccache clang-format doxygen patch pandoc iproute2 procps)
# A browser for the pages of the course. Ubuntu's chromium is a snap package: there the tests of the pages are skipped.
if grep -qs '^ID=debian$' /etc/os-release; then
  test_packages+=(chromium chromium-driver python3-selenium)
fi
plot_packages=(python3 python3-h5py python3-matplotlib)
# The course needs neither HDF5 nor FFTW3.
learn_packages=(g++ cmake ninja-build pkg-config libhwy-dev zlib1g-dev libtomlplusplus-dev libcli11-dev nlohmann-json3-dev pandoc)
aarch64_packages=(g++-aarch64-linux-gnu qemu-user)
tsan_packages=(clang libomp-dev)

# apt's Python modules work with apt's python3, which must come first in PATH.
export PATH=/usr/bin:$PATH

install_packages() {
  command -v dpkg-query >/dev/null || return 0  # not Debian or Ubuntu: the user must have installed what CMake needs
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "installing ${missing[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
