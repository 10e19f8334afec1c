#!/usr/bin/python3
"""Compares the speed of two builds by running them in turns.

  python3 bench/turns.py --old OLD/build/tools --new build/tools --rounds 12 'import camels DIR --out {tmp}/c.h5' ...

Runs every command with the tools of both folders, old and new in alternating order, each in an empty folder {tmp}.
Prints the median seconds of both, the geometric mean of the paired ratios new / old, and its 95 % interval (Student's
t over the logarithms). A first round, which is not counted, warms the caches. With --steps a run's time is the median
of its training steps, as bench/train_step prints them, which a pause of the machine does not affect:

  python3 bench/turns.py --old OLD/build/bench --new build/bench --steps 'train_step model.channels=100 --steps 24'
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

T_975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
         2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]


def seconds(folder, command, of_steps):
    """Wall-clock time of one run, which must succeed, or the median of its steps."""
    with tempfile.TemporaryDirectory() as tmp:
        environment = {**os.environ, "PATH": f"{os.path.abspath(folder)}:{os.environ['PATH']}"}
        start = time.perf_counter()
        done = subprocess.run(["bash", "-c", command.replace("{tmp}", tmp)], env=environment, capture_output=True,
                              text=True)
        took = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit(f"turns.py: {folder}: {command}: exit status {done.returncode}: {done.stderr.strip()}")
        if of_steps:
            return statistics.median(json.loads(done.stdout.splitlines()[-1])["total_ms"]) / 1000
        return took


def paired_ratio(old, new):
    """Geometric mean of new / old, and the ends of its 95 % interval."""
    logs = [math.log(b / a) for a, b in zip(old, new)]
    mean = statistics.fmean(logs)
    half = T_975[min(len(logs) - 2, len(T_975) - 1)] * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def compare(arguments, command):
    folders = {"old": arguments.old, "new": arguments.new}
    samples = {"old": [], "new": []}
    for turn in range(arguments.rounds + 1):
        for side in (("old", "new") if turn % 2 == 0 else ("new", "old")):
            took = seconds(folders[side], command, arguments.steps)
            if turn > 0:
                samples[side].append(took)
    ratio, low, high = paired_ratio(samples["old"], samples["new"])
    return {"command": command, "rounds": arguments.rounds, "old": samples["old"], "new": samples["new"],
            "ratio": ratio, "low": low, "high": high}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", required=True, help="folder of the old tools")
    parser.add_argument("--new", required=True, help="folder of the new tools")
    parser.add_argument("--rounds", type=int, default=12, help="at least 2")
    parser.add_argument("--steps", action="store_true", help="time the median step of bench/train_step")
    parser.add_argument("--out", help="JSON file for every sample")
    parser.add_argument("commands", nargs="+", help="commands to time; {tmp} is an empty folder")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds: at least 2 are needed for an interval")
    results = []
    for command in arguments.commands:
        result = compare(arguments, command)
        results.append(result)
        print(f"{statistics.median(result['old']):9.4f} s old {statistics.median(result['new']):9.4f} s new   new/old "
              f"{result['ratio']:.4f} [{result['low']:.4f}, {result['high']:.4f}]   {command}", flush=True)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
