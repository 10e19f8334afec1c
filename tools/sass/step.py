"""An estimate of a training step from its launches (build/tests/cuda/step_launches) and the loops of its kernels."""
import collections
import dataclasses
import heapq
import json
import re
import subprocess

import constants
import loops
import turns

ANONYMOUS = "(anonymous namespace)::"


@dataclasses.dataclass
class Row:
    """One launch. `bound`: what its time is made of besides starting."""
    op: str
    problem: str
    kernel: str
    bytes: float
    us: float  # without the gap to the next one
    bound: str


def short_name(name):
    """"pack_straight" of "void umbra::(anonymous namespace)::pack_straight<float, …>(float const*, …)"."""
    name = name.replace(ANONYMOUS, "")
    return re.search(r"(\w+)(?:<|\(|$)", re.sub(r"^.*?umbra::", "", name, count=1))[1]


def launches_of(program, channels, precision, batch=32):
    listed = subprocess.run([program, f"model.channels={channels}", "--precision", precision, "--batch", str(batch)], capture_output=True,
                            check=True, text=True).stdout
    return [json.loads(line) for line in listed.splitlines()]


def last_end(times, at_once):
    """When the last of these jobs ends if the next one starts whenever one of `at_once` places is free."""
    places = [0.0] * at_once
    for time in times:
        heapq.heapreplace(places, places[0] + time)
    return max(places)


def microseconds(clocks):
    return clocks / constants.CLOCK_GHZ / 1e3


def moved(bytes_, blocks):
    """Microseconds to move so many bytes, from memory or from the second-level cache, and which."""
    of_blocks = constants.L2_CLOCK_SM * constants.CLOCK_GHZ * 1e9 * min(blocks, constants.MULTIPROCESSORS)
    far = bytes_ > constants.L2_MB * 1e6
    rate = min((constants.HBM_TB_S if far else constants.L2_TB_S) * 1e12, of_blocks)
    return bytes_ / rate * 1e6, "memory" if far else "cache"


def found_in(kernels, name):
    if name not in kernels:
        raise ValueError(f"{name}: the step starts this kernel, but the listing does not contain it")
    return kernels[name]


class Model:
    def __init__(self, kernels, parts):
        """`kernels`: label -> Loops; `parts`: demangled name -> part of the listing, of every kernel."""
        self.kernels, self.parts = kernels, parts

    def turning(self, name, blocks):
        """Microseconds of a launch whose warps go round a loop: [[alike blocks, warps, turns of the busiest], …]."""
        turn = turns.turn_of(found_in(self.parts, name))
        times = [most * turn.with_warps(warps) for count, warps, most in blocks for _ in range(count)]
        return microseconds(last_end(times, constants.MULTIPROCESSORS))

    def slice_clocks(self, found, work, copies, products, steps, feed):
        """Clocks of a slice, and of whom."""
        w_copies, w_bytes = work["w"]
        x_copies, x_bytes = work["x"]
        clocks = {"producer": found.producers["pairs" if work["pairs"] else "taps"].clocks(copies, w_copies + x_copies),
                  "consumer": found.slice_of_consumers(products, steps),
                  "feed": (w_bytes + (copies - w_copies) * x_bytes) / feed}
        whom = max(clocks, key=clocks.get)
        return clocks[whom], whom

    def tensor(self, name, work):
        """Microseconds of a launch on tensor cores, and of whom most of them are."""
        tile = loops.tile_of(name)
        found = found_in(self.kernels, loops.label(tile))
        size = work["cluster"]
        at_once = constants.CLUSTERS[size]
        clusters = sum(count for count, _ in work["clusters"])
        feed = min(constants.L2_CLOCK_SM, constants.L2_CLOCK_CHIP / (min(clusters, at_once) * size))
        times, shares = [], collections.Counter()
        for count, blocks in work["clusters"]:
            most = 0
            for slices in blocks:
                total = 0
                for number, copies, products, steps in slices:
                    clocks, whom = self.slice_clocks(found, work, copies, products, steps, feed)
                    total += number * clocks
                    shares[whom] += count * number * clocks
                most = max(most, total)
            times += [most] * count
        us = microseconds(last_end(times, at_once)) + (constants.CLUSTER_SUM if size > 1 else 0)
        return us, shares.most_common(1)[0][0]

    def rows_of_op(self, line):
        names = [launch["kernel"] for launch in line["launches"]]
        work = line.get("work", {})
        packs = iter(work.get("packs", []))
        plain = sum(loops.tile_of(name) is None and not short_name(name).startswith("pack_") for name in names)
        for name, launch in zip(names, line["launches"]):
            blocks = launch["blocks"][0] * launch["blocks"][1] * launch["blocks"][2]
            kernel = short_name(name)
            if work and loops.tile_of(name) is not None:
                us, bound = self.tensor(name, work)
                bytes_, kernel = line["bytes"], loops.label(loops.tile_of(name))
            else:
                bytes_ = sum(next(packs)) if work and kernel.startswith("pack_") else line["bytes"] / max(plain, 1)
                us, bound = moved(bytes_, blocks)
                if kernel in line.get("turns", {}):
                    us, bound = max((us, bound), (self.turning(name, line["turns"][kernel]), "instructions"))
            yield Row(line["op"], line["problem"], kernel, bytes_, us + constants.RAMP, bound)

    def rows(self, lines):
        return [row for line in lines for row in self.rows_of_op(line)]


def gaps(rows):
    """Microseconds between the launches of a step."""
    return len(rows) * constants.GAP


def estimates(model, lines):
    """{"op/rung/problem", as in the names of bench_kernels: microseconds with the gaps to the next launches, and on tensor cores
    the blocks of a cluster}."""
    found = {}
    for line in lines:
        rows = list(model.rows_of_op(line))
        name = "/".join(line[key] for key in ("op", "rung", "problem"))
        found[name] = {"us": round(sum(row.us for row in rows) + gaps(rows), 2)}
        if work := line.get("work"):
            found[name]["cluster"] = work["cluster"]
    return found
