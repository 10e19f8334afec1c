#!/usr/bin/env bash
# From a fresh Debian or Ubuntu to the first lesson of the course and its page, in one command:
#   bash tools/learn.sh
# It installs missing packages, builds the first lesson and the program `learn`, runs the lesson and writes its page to
# site/. What you do in the course is kept in learning/; a second run replaces only the run of lesson 1 and its page.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/packages.sh

install_packages "${learn_packages[@]}"
echo "== about 2 minutes on 2 cores: most of them to build the engine"
if [ ! -f build/build.ninja ]; then
  # Without a GPU the build leaves out the CUDA kernels. tools/test.sh, which gives no option, builds them again.
  nvidia-smi -L >/dev/null 2>&1 && cuda=AUTO || cuda=OFF
  cmake --preset release -DUMBRA_CUDA=$cuda
fi
cmake --build --preset release --target tool_learn lesson_01
echo "== lesson 1"
build/tools/learn run 01
build/tools/learn page 01 --out site
echo "== read the page in a browser; then:
build/tools/learn list        what there is to learn
build/tools/learn check 01    the exercises of lesson 1: it makes a file for your answers, and checks them"
