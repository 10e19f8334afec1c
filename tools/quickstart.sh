#!/usr/bin/env bash
# From a fresh Debian or Ubuntu to a trained network, a table and figures, in one command:
#   bash tools/quickstart.sh [FOLDER]
# It installs missing packages, builds the tools, generates a mock universe, trains the UM ResNet on it twice (C = 20, with our
# recipe and with the paper's), scores both on the validation boxes and draws the paper's figures 5 and 6. FOLDER is
# "quickstart" by default; a second run replaces what the first one wrote.
set -euo pipefail
out=$(realpath -m "${1:-$(dirname "$0")/../quickstart}")
cd "$(dirname "$0")/.."
source tools/packages.sh

install_packages "${build_packages[@]}" "${plot_packages[@]}"
echo "== about 4 minutes on 2 cores: most of them to build the tools"
if [ ! -f build/build.ninja ]; then
  # Without a GPU the first build leaves out the CUDA kernels. tools/test.sh, which gives no option, builds them again.
  nvidia-smi -L >/dev/null 2>&1 && cuda=AUTO || cuda=OFF
  cmake --preset release -DUMBRA_CUDA=$cuda
fi
cmake --build --preset release --target tool_mock tool_train tool_predict tool_evaluate tool_import
bin=build/tools
mkdir -p "$out"

echo "== a universe: 250 Mpc/h, halos with Vpeak > 150 km/s"
"$bin/mock" --out "$out/universe.h5" --overwrite
for config in paper um_resnet; do
  echo "== training with models/configs/$config.toml"
  "$bin/train" --data "$out/universe.h5" --out "$out/$config" --config "models/configs/$config.toml" --overwrite
done
echo "== validation"
"$bin/predict" --run "$out/um_resnet" --data "$out/universe.h5" --out "$out/predictions.h5" --overwrite
"$bin/evaluate" --data "$out/universe.h5" --run "$out/paper" "$out/um_resnet" --out "$out/evaluation.json" --overwrite
echo "== figures"
plot() { python3 tools/plot.py "$@" --overwrite; }
plot smf --evaluation "$out/evaluation.json" --out "$out/figure6_smf"
plot loss --run "$out/um_resnet" --out "$out/figure5_loss"
plot loss --run "$out/paper" --out "$out/figure5_loss_paper"
plot slice --data "$out/universe.h5" --out "$out/input_slice"
plot predictions --predictions "$out/predictions.h5" --out "$out/predicted_vs_true"
echo "done: $out/figure6_smf.png, figure5_loss.png, figure5_loss_paper.png, input_slice.png, predicted_vs_true.png, evaluation.json"
