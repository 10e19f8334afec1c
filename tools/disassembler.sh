#!/usr/bin/env bash
# Installs NVIDIA's disassembler for tools/sass_check.sh, cuobjdump and nvdisasm, into a folder of its own. The PyPI package
# triton contains both; nothing else of it is kept.
#   tools/disassembler.sh [FOLDER]     (build/disassembler)
set -euo pipefail
folder=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/disassembler}
if [ -x "$folder/cuobjdump" ] && [ -x "$folder/nvdisasm" ]; then echo "$folder has cuobjdump and nvdisasm"; exit; fi
wheel=$(mktemp -d)
trap 'rm -rf "$wheel"' EXIT
python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$wheel" 'triton>=3.5,<4'  # 3.5: that of CUDA 13
mkdir -p "$folder"
for tool in cuobjdump nvdisasm; do
  python3 -c 'import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]).open("triton/backends/nvidia/bin/" + sys.argv[2]) as packed, open(sys.argv[3], "wb") as tool:
    shutil.copyfileobj(packed, tool)' "$wheel"/triton-*.whl "$tool" "$folder/$tool.part"
  chmod +x "$folder/$tool.part"
  mv "$folder/$tool.part" "$folder/$tool"
done
"$folder/cuobjdump" --version | tail -1
