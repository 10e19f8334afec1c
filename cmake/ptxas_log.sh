#!/usr/bin/env bash
# Runs a compiler command (… -o OBJECT …) and writes its standard error, which includes ptxas' report of the kernels'
# registers and memory, to OBJECT.ptxas. It is printed only if the command fails.
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
