#!/usr/bin/env python3
"""Checks and measures umbra on a GPU, with a bundle that tools/gpu_bundle.sh packed. Each part can run alone:

    bash gpu_check.sh triage [OUT]     5 minutes: which kernels work (protocols, every rung, training, one step at C = 200)
    bash gpu_check.sh measure [OUT]    5 minutes: steps of PyTorch and umbra, kernels compared with cuDNN and cuBLASLt, failed tests again
    bash gpu_check.sh change [OUT] --before BUNDLE     3 minutes: another bundle and this one, in turns
    bash gpu_check.sh extra [OUT] --stages NAME,...    no limit: sanitizer, training, profile and others
    bash gpu_check.sh plan             prints the stages of every part and their limits in seconds
    bash gpu_check.sh                  triage, measure and change, one after the other

Every stage has a limit. A program that exceeds it is ended, the report names it, and later stages still run. A part writes
OUT/PART.json and OUT/PART.tar.gz, which is below 16 MiB (OUT: gpu_check_results). The exit status is 1 if a stage failed and
3 if the machine has no GPU or no driver. umbra is compared with the libraries of this machine: cuDNN 9 and cuBLASLt of
PyTorch's wheels or of the CUDA Toolkit.
"""
import argparse
import json
import pathlib
import shutil
import signal
import sys
import time

import archive
import estimates
import running
from bundle import Bundle
from parts import ARCHIVE, PARTS
from steps import outcome

GOOD = ("passed", "skipped", "cut short")


class Check:
    """A running part: its programs, logs and results."""

    def __init__(self, part, options):
        self.part, self.filter = part, options.filter
        self.out = pathlib.Path(options.out).resolve()
        self.triage = pathlib.Path(options.triage) if options.triage else self.out / "triage.json"
        self.bundle = Bundle(pathlib.Path(__file__).absolute().parent.parent)
        self.model = estimates.read(self.bundle.folder / "model.json")
        self.sides = {"old": Bundle(options.before) if options.before else self.bundle, "new": self.bundle}
        self.logs = self.out / (part + ".logs")
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        limit = PARTS[part].limit
        self.report = {"part": part, "commit": self.bundle.commit(), "limit": limit and limit * running.SCALE, "seconds": 0, "stages": []}

    def log(self, name):
        return self.logs / name

    def failures_of_triage(self):
        """The names of the tests that did not pass in triage; None if its report is missing."""
        try:
            stages = json.loads(self.triage.read_text())["stages"]
        except (OSError, ValueError, KeyError):
            return None
        return [name for stage in stages for how in ("failed", "crashed", "hung", "not_run") for name in stage.get(how, [])]

    def write(self):
        (self.out / (self.part + ".json")).write_text(json.dumps(self.report, indent=1) + "\n")


def run_stage(check, stage):
    begin, limit = time.monotonic(), stage.limit * running.SCALE
    try:
        result = stage.run(check, limit)
    except Exception as error:  # whatever a program printed, later stages must still run
        result = outcome("failed", [f"{type(error).__name__}: {error}"])
    seconds = time.monotonic() - begin
    check.report["stages"].append({"stage": stage.name, "limit": limit, "seconds": round(seconds, 2), **result})
    check.write()
    print(f"{stage.name}: {result['status']} ({seconds:.1f} s)", flush=True)
    for line in result["said"][:20]:
        print("    " + line, flush=True)
    if len(result["said"]) > 20:
        print(f"    and {len(result['said']) - 20} more lines in {check.part}.json", flush=True)
    return result["status"]


def run_part(part, options):
    """Runs the stages and writes the report and the archive. Returns the exit status."""
    check = Check(part, options)
    begin = time.monotonic()
    chosen = options.stages.split(",") if options.stages else [stage.name for stage in PARTS[part].stages]
    if unknown := set(chosen) - {stage.name for stage in PARTS[part].stages}:
        sys.exit(f"gpu_check.sh: {part} has no stage {', '.join(sorted(unknown))}; it has {', '.join(s.name for s in PARTS[part].stages)}")
    print(f"== {part}, commit {check.bundle.commit()}", flush=True)
    status = 0
    for stage in PARTS[part].stages:
        if stage.name != "machine" and stage.name not in chosen:
            continue
        how = run_stage(check, stage)
        if how == "no_gpu":
            print("this machine has no GPU or no NVIDIA driver: nothing was checked")
            status = 3
            break
        status = max(status, 0 if how in GOOD else 1)
    check.write()
    shutil.copy(check.out / (part + ".json"), check.logs)
    target = check.out / (part + ".tar.gz")
    check.report["shortened"] = archive.pack(check.logs, target)
    check.report["seconds"] = round(time.monotonic() - begin, 2)
    check.write()
    shutil.rmtree(check.logs)
    for name in check.report["shortened"]:
        print(f"{name} is too long for the archive: its middle was cut out")
    bad = [stage["stage"] for stage in check.report["stages"] if stage["status"] not in GOOD]
    print(f"{part}: {'failed: ' + ' '.join(bad) if bad else 'all stages passed'}; {check.report['seconds']:.0f} s; {target}", flush=True)
    return status


def plan():
    """Prints the limits, and an error if those of a part's stages add up to more than the part's limit."""
    status = 0
    for name, part in PARTS.items():
        for stage in part.stages:
            print(f"{name} {stage.name} {stage.limit:g}" if part.limit else f"{name} {stage.name}")
        if part.limit:
            total = sum(stage.limit for stage in part.stages) + ARCHIVE
            print(f"{name} archive {ARCHIVE}\n{name} total {total:g} of {part.limit}")
            if total > part.limit:
                print(f"gpu_check.sh: the stages of {name} may take {total:g} s, but {part.limit} s is its limit", file=sys.stderr)
                status = 1
    return status


def main():
    parser = argparse.ArgumentParser(prog="gpu_check.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=[*PARTS, "plan"], help="without one: triage, measure and change")
    parser.add_argument("out", nargs="?", default="gpu_check_results", help="folder of the results")
    parser.add_argument("--before", help="change: folder of the older unpacked bundle; without one this bundle is compared with itself, "
                        "which shows the noise")
    parser.add_argument("--filter", help="change: which kernels, a filter of bench_kernels (default: convolutions of 200 channels in bf16)")
    parser.add_argument("--triage", help="measure: the triage.json whose failed tests run again (default: OUT/triage.json)")
    parser.add_argument("--stages", help="names of stages, separated by commas (default: all)")
    options = parser.parse_args()
    if options.part == "plan":
        return plan()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, running.stop)  # ends the programs; the report and the archive are still written
    status = 0
    try:
        for part in [options.part] if options.part else [name for name in PARTS if PARTS[name].limit]:
            status = max(status, run_part(part, options))
            if status == 3:
                break
    except FileNotFoundError as error:
        sys.exit(f"gpu_check.sh: {error}")
    return status


if __name__ == "__main__":
    sys.exit(main())
