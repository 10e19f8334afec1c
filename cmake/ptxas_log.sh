#!/usr/bin/env bash
# Runs a compiler command (… -o OBJECT …) and keeps what it writes in OBJECT.ptxas, the kernels' registers and memory
# among it. What is not ptxas' report is shown.
set -uo pipefail
object= previous=
for argument in "$@"; do
  [ "$previous" != -o ] || object=$argument
  previous=$argument
done
[ -n "$object" ] || exec "$@"
"$@" 2>"$object.ptxas"
status=$?
if [ $status -ne 0 ]; then cat "$object.ptxas" >&2; fi
exit $status
