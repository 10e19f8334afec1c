#!/usr/bin/env python3
"""Checks a listing of cuobjdump -sass and estimates a training step from it (tools/sass_check.sh, tools/sass)."""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "sass"))
import constants
import listing
import loops
import report
import rules
import step

# The kernels of the rungs from cuda_4_wgmma on (engine/cuda/tile/tensor_*.cu), by parts of their mangled names.
WGMMA = re.compile(r"tensor_(?:wgmma|tma|specialised|cluster)")
TILED_LOADS = {"tensor_tma", "tensor_specialised", "tensor_cluster"}
REALLOCATING = {"tensor_specialised", "tensor_cluster"}
SHOWN = ("HGMMA", "HMMA", "UTMALDG", "UBLKCP", "USETMAXREG")
OPCODE = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", re.MULTILINE)


def complaints(name, counts):
    if counts["LDL"] or counts["STL"]:
        yield f"keeps numbers in local memory (LDL {counts['LDL']}, STL {counts['STL']})"
    rung = WGMMA.search(name)
    if not rung:
        return
    if not counts["HGMMA"]:
        yield "has no HGMMA"
    if counts["HMMA"]:
        yield f"multiplies with HMMA ({counts['HMMA']})"
    if rung[0] in TILED_LOADS and not counts["UTMALDG"] and not counts["UBLKCP"]:
        yield "loads no tile with UTMALDG or UBLKCP"
    if rung[0] in REALLOCATING and not counts["USETMAXREG"]:
        yield "reallocates no registers (USETMAXREG)"


def check_counts(found):
    """Prints a line per rung; returns complaints."""
    rungs = collections.defaultdict(list)
    for name, counts in found:
        rungs[match[0] if (match := WGMMA.search(name)) else "others"].append(counts)
    for rung, list_ in sorted(rungs.items()):
        spans = [f"{i} {min(c[i] for c in list_)}-{max(c[i] for c in list_)}" for i in SHOWN if any(c[i] for c in list_)]
        print(f"{rung}: {len(list_)} kernels of sm_90a; {', '.join(spans) or 'no tensor cores'}")
    bad = [f"{name}: {complaint}" for name, counts in found for complaint in complaints(name, counts)]
    if not any(counts["HGMMA"] for _, counts in found):
        bad.append("no kernel multiplies with HGMMA")
    return bad


def demangled(names):
    return subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, check=True, text=True).stdout.splitlines()


def serialised(reports):
    """{("C7520", kernel): remarks}, from the reports of ptxas."""
    names = demangled(rules.serialised(path.read_text() for path in reports))
    return collections.Counter(("C7520", loops.label(tile) if (tile := loops.tile_of(name)) else name) for name in names)


def check_loops(kernels, options):
    """Prints the table of loops; returns them, and complaints about new violations of the rules."""
    found = [one for name, part in kernels.items() if (one := loops.loops_of_kernel(name, part))]
    bad = {**rules.violations(found), **serialised(options.ptxas)}
    known, examined = rules.read_known(options.known), [one.kernel for one in found]
    if options.shrink:
        known = rules.shrunk(bad, known, examined)
        rules.write_known(options.known, known)
    if found:
        print("\nClocks of a slice, by a model of the machine code\n")
        print("\n".join(report.loops_table(found)))
        print(f"\n{len(bad)} violations of the rules, {len(bad.keys() & known.keys())} of them known and to be mended (tools/sass/known.txt)")
    worse = list(rules.differences(bad, known, examined))
    if version := rules.other_ptxas(options.known, options.objects):
        print("\n".join(worse))
        print(f"these differences do not count: the code is that of ptxas {version}, {options.known.name} lists that of another version")
        worse = list(rules.differences(serialised(options.ptxas), {}, examined))
    return found, worse


def print_steps(kernels, found, options):
    model = step.Model({one.kernel: one for one in found}, kernels)
    steps, estimates = {}, {"clusters": constants.CLUSTERS, "kernels": {}, "steps": {}}
    for channels in options.channels:
        for precision in ("bf16", "tf32"):
            lines = step.launches_of(options.step, channels, precision)
            rows = model.rows(lines)
            steps[channels, precision] = rows, step.gaps(rows)
            estimates["kernels"].update(step.estimates(model, lines))
            estimates["steps"][f"{channels} {precision}"] = {"launches": len(rows), "us": round(sum(row.us for row in rows) + step.gaps(rows), 1)}
    if options.json:
        options.json.write_text(json.dumps(estimates, indent=1) + "\n")
    print("\nA step of um_resnet, batch 32: launches and microseconds by the model (not a measurement)\n")
    print("\n".join(report.steps_table(steps)))
    key = list(steps)[-2]
    print(f"\nKernels at C = {key[0]} in {key[1]}\n")
    print("\n".join(report.kernels_table(steps[key][0])))


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listing", type=pathlib.Path, help="of cuobjdump; without it only the reports are read")
    parser.add_argument("--ptxas", type=pathlib.Path, nargs="*", default=[], help="reports of ptxas")
    parser.add_argument("--objects", type=pathlib.Path, nargs="*", default=[], help="what was disassembled, for the version of ptxas")
    parser.add_argument("--step", type=pathlib.Path, help="the program step_launches: estimate training steps, too")
    parser.add_argument("--json", type=pathlib.Path, help="with --step: write the estimates of ops and steps, and the numbers of clusters they count on, to this file, for tools/gpu")
    parser.add_argument("--channels", type=int, nargs="+", default=[20, 100, 200], help="of the steps")
    parser.add_argument("--shrink", action="store_true", help="take out of the known violations what has been mended")
    parser.add_argument("--known", type=pathlib.Path, default=HERE / "sass" / "known.txt", help="the known violations")
    return parser.parse_args()


def main():
    options = parsed()
    kernels, bad = [], []
    if options.listing:
        kernels = listing.kernels(options.listing.read_text(errors="replace"))
        if not kernels:
            print("the listing contains no machine code for sm_90a")
            return 1
        bad = check_counts([(name, collections.Counter(OPCODE.findall(part))) for name, part in kernels])
    named = dict(zip(demangled([name for name, _ in kernels]), (part for _, part in kernels)))
    found, worse = check_loops(named, options)
    if options.step and options.listing:
        print_steps(named, found, options)
    bad += worse
    if bad or kernels:
        print("\n".join(bad) or f"all {len(kernels)} kernels are as expected, except for the known violations")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        print(f"sass_check: {error}", file=sys.stderr)
        sys.exit(1)
