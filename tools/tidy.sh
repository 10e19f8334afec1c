#!/usr/bin/env bash
# Static analysis: clang-tidy 14 with the checks of .clang-tidy over the .cpp files of engine, models, data and tools and the
# headers they include. Exit status 1 on findings. Takes 40 minutes with one process on a busy machine, 30 minutes of which compute.
#   tools/tidy.sh [BUILD [FILE…]]    BUILD: a configured build folder (default: build); FILE: only these sources
#   JOBS=N tools/tidy.sh             N processes (default: one per core)
# Needs the packages clang-tidy and libomp-dev (Clang's omp.h). The .cu files are not analysed: their commands are nvcc's.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
shift $(($# > 0))

tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || {
  echo "tools/tidy.sh: skipped, because clang-tidy is not installed"
  exit 0
}
"$tidy" --version | grep -q 'version 14\.' || echo "tools/tidy.sh: $tidy is not version 14 and may report more than that does" >&2
[ -f "$build/compile_commands.json" ] || {
  echo "tools/tidy.sh: $build has no compile_commands.json: configure it first, e.g. with cmake --preset release" >&2
  exit 2
}

# Clang knows neither some of GCC's warnings and its precompiled headers nor all of its machine names. A source that is
# compiled in a group (umbra_compile_together()) has the command of its group.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
python3 - "$build/compile_commands.json" "$PWD" "$database" <<'END'
import json, os, re, sys
commands, root, database = sys.argv[1:]
unknown = r' -(Wno-restrict|m(arch|cpu|tune)=[^ "]*|Wno-stringop-over(flow|read)|Winvalid-pch|fpch-preprocess|-param=ggc-min-heapsize=\d+|include \S*cmake_pch\.hxx)'
every = []
for entry in json.load(open(commands)):
    command, source = re.sub(unknown, '', entry['command']), entry['file']
    parts = re.findall(r'^#include "(.*)"$', open(source).read(), re.M) if '/together/' in source else []
    for part in parts:
        path = os.path.join(root, part)
        every.append({**entry, 'file': path, 'command': command.replace(source, path)})
    if not parts:
        every.append({**entry, 'command': command})
json.dump(every, open(f'{database}/compile_commands.json', 'w'))
analysed = re.compile(re.escape(root) + r'/(engine|models|data|tools)/.*\.cpp')
with open(f'{database}/files', 'w') as files:
    files.writelines(name + '\n' for name in sorted({e['file'] for e in every if analysed.fullmatch(e['file'])}))
END
[ $# = 0 ] || realpath -- "$@" >"$database/files"
[ -s "$database/files" ] || {
  echo "tools/tidy.sh: $build was not configured from $PWD" >&2
  exit 2
}

analyse() {
  local report
  report=$("$1" -p "$2" --quiet "$3" 2>&1) && return
  grep -vE '^[0-9]+ warnings? (generated|treated as errors)\.?$' <<<"$report"
  return 1
}
export -f analyse
xargs -d '\n' -n 1 -P "${JOBS:-$(nproc)}" bash -c 'analyse "$@"' analyse "$tidy" "$database" <"$database/files" || exit 1
