#!/usr/bin/env python3
"""Counts the instructions of every kernel in a listing of cuobjdump -sass and reports violations (tools/sass_check.sh)."""
import collections
import re
import sys

# The kernels of the rungs from cuda_4_wgmma on (engine/cuda/tile/tensor_*.cu), by parts of their mangled names.
WGMMA = re.compile(r"tensor_(?:wgmma|tma|specialised|cluster)")
TILED_LOADS = {"tensor_tma", "tensor_specialised", "tensor_cluster"}
REALLOCATING = {"tensor_specialised", "tensor_cluster"}
SHOWN = ("HGMMA", "HMMA", "UTMALDG", "UBLKCP", "USETMAXREG")


def kernels(lines):
    """(name, counts of its instructions) for every kernel of sm_90a."""
    name, counts, hopper = None, None, False
    for line in lines:
        if match := re.search(r"\barch = (\w+)", line):
            hopper = match[1].startswith("sm_90")
        elif match := re.search(r"^\s*Function : (\S+)", line):
            if name is not None:
                yield name, counts
            name, counts = (match[1], collections.Counter()) if hopper else (None, None)
        elif name is not None and (match := re.search(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", line)):
            counts[match[1]] += 1
    if name is not None:
        yield name, counts


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


def main():
    with open(sys.argv[1], errors="replace") as listing:
        found = list(kernels(listing))
    if not found:
        print("the listing contains no machine code for sm_90a")
        return 1
    rungs = collections.defaultdict(list)
    for name, counts in found:
        rungs[match[0] if (match := WGMMA.search(name)) else "others"].append(counts)
    for rung, list_ in sorted(rungs.items()):
        spans = [f"{i} {min(c[i] for c in list_)}-{max(c[i] for c in list_)}" for i in SHOWN if any(c[i] for c in list_)]
        print(f"{rung}: {len(list_)} kernels of sm_90a; {', '.join(spans) or 'no tensor cores'}")
    bad = [f"{name}: {complaint}" for name, counts in found for complaint in complaints(name, counts)]
    if not any(counts["HGMMA"] for _, counts in found):
        bad.append("no kernel multiplies with HGMMA")
    print("\n".join(bad) or f"all {len(found)} kernels are as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
