#!/usr/bin/env bash
# Checks and measures umbra on a GPU, with a bundle that tools/gpu_bundle.sh packed:
#   bash gpu_check.sh [triage|measure|change|extra|plan] [OUT]      gpu/check.py implements the parts (see --help)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec python3 -u "$here/gpu/check.py" "$@"
