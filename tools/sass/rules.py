"""What a kernel on tensor cores must not do, and the list of kernels that are known to do it (known.txt)."""
import re

CLOCKS = "slow producer"
# The rules: what the number of a violation counts.
RULES = {
    CLOCKS: "clocks per slice of a producer that is slower than its multiplication",
    "idle HGMMA": "HGMMA.64x8x16.F16 RZ, with which ptxas waits: slices do not overlap",
    "loop of copies": "BRA.U.ANY next to UTMALDG: a copy in a loop over the threads of a warp",
    "hasty arrival": "UCGABAR_ARV while an LD may be under way, whose barrier nothing has waited for: a block may end while others still read its memory",
    "unasked barrier": "UCGABAR without a comparison of the cluster's size before it: a single block must not reach it",
    "C7520": "remarks of ptxas: a branch between a fence and its wgmma makes all of them wait for one another",
}
NOISE = 0.02  # of clocks: what does not count as a difference
PTXAS = re.compile(rb"Cuda compilation tools, release [\d.]+, V([\d.]+)")
OF_PTXAS = "# ptxas "  # in known.txt: the version whose code it lists
C7520 = re.compile(r"\bC7520\b(?:.* in (?:the )?function '(\w+)')?")


def violations(all_loops):
    """{(rule, kernel): number} of these Loops."""
    found = {}
    for one in all_loops:
        for kind, producer in one.producers.items():
            if producer.of_most.model > one.multiplication():
                found[CLOCKS, f"{one.kernel}, {kind}"] = producer.of_most.model
        for rule, number in (("idle HGMMA", one.dummies), ("loop of copies", one.loops_of_copies),
                             ("hasty arrival", one.hasty_arrivals), ("unasked barrier", one.unasked_barriers)):
            if number > 0:
                found[rule, one.kernel] = number
    return found


def serialised(reports):
    """Mangled names of the kernels, once per remark C7520, in the reports of ptxas; "a kernel" where it names none."""
    return [match[1] or "a kernel" for report in reports for match in C7520.finditer(report)]


def read_known(path):
    known = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or fields[0] not in RULES or not fields[2].isdigit():
            raise ValueError(f"{path.name}, line {number}: found {line!r}, expected a rule, a kernel and a number, separated by tabs")
        known[fields[0], fields[1]] = int(fields[2])
    return known


def other_ptxas(path, objects):
    """The version of ptxas that compiled one of these objects if known.txt lists the violations of another one, which may
    compile the same kernel to other code; "" otherwise."""
    listed = next((line[len(OF_PTXAS):] for line in path.read_text().splitlines() if line.startswith(OF_PTXAS)), "")
    versions = {match.decode() for one in objects for match in PTXAS.findall(one.read_bytes())}
    return ", ".join(sorted(versions)) if listed and listed not in versions else ""


def differences(found, known, kernels):
    """Sentences about violations that are new or worse than known, and about lines of known.txt that are out of date.
    `kernels`: names of those that were examined; lines about other rungs are not judged."""
    rungs = {kernel.split()[0] for kernel in kernels}
    for (rule, kernel), number in sorted(found.items()):
        most = known.get((rule, kernel))
        if most is None:
            yield f"{kernel}: {rule}, {number} ({RULES[rule]})"
        elif number > most * (1 + NOISE if rule == CLOCKS else 1):
            yield f"{kernel}: {rule}, {number}, more than the {most} that are known"
    for (rule, kernel), most in sorted(known.items()):
        number = found.get((rule, kernel), 0)
        if kernel.split()[0] in rungs and number < most * (1 - NOISE if rule == CLOCKS else 1):
            yield f"{kernel}: {rule} is {number or 'gone'}, but known.txt still has {most}: run tools/sass_check.sh --shrink"


def shrunk(found, known, kernels):
    """The known violations without those that are gone, and with the numbers of those that are less: never more."""
    rungs = {kernel.split()[0] for kernel in kernels}
    return {key: min(most, found[key]) if key in found else most for key, most in known.items()
            if key in found or key[1].split()[0] not in rungs}


def write_known(path, known):
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    lines = [f"{rule}\t{kernel}\t{number}" for (rule, kernel), number in sorted(known.items())]
    path.write_text("\n".join(head + lines) + "\n")
