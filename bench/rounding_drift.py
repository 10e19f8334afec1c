#!/usr/bin/env python3
"""How far a training in several processes drifts from that in one, and whether rounding explains it.

    rounding_drift.py --data FILE [--processes 2,4] [--seeds 3] [key=value ...]

Trains one epoch for a start, and from its weights the next one: in one process (the reference), in several with
synchronised batch norm, and again in one, with the last bit of half the weights flipped, which is a change of the size of
rounding. Prints the relative differences from the reference of the loss and of the gradient's norm in some steps. Needs
mpirun and the standard library.
"""
import argparse
import array
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def train(options, out, processes=1, weights=None):
    """(loss, norm of the gradient) of every step of an epoch."""
    command = [options.tools / "train", "--data", options.data, "--out", out, "train.epochs=1", *options.changes]
    if options.config:
        command += ["--config", options.config]
    if weights:
        command += ["--weights", weights]
    if processes > 1:
        command = ["mpirun", "-np", processes, "--oversubscribe", "--bind-to", "none", *command, "train.sync_batch_norm=true"]
    done = subprocess.run([str(word) for word in command], env={**os.environ, **ENVIRONMENT}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)}\n{done.stdout[-2000:]}")
    with open(out / "metrics.csv", newline="", encoding="utf-8") as file:
        return [(float(row["loss"]), float(row["grad_norm"])) for row in csv.DictReader(file) if row["split"] == "train"]


def flip_last_bits(source, target, seed):
    """Copies a safetensors file with the last bit of half its parameters flipped."""
    data, choice = bytearray(source.read_bytes()), random.Random(seed)
    begin = 8 + int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:begin]).items():
        if name == "__metadata__" or entry["dtype"] != "F32" or "running_" in name:
            continue
        first, last = (begin + offset for offset in entry["data_offsets"])
        numbers = array.array("I", data[first:last])
        data[first:last] = array.array("I", [number ^ choice.getrandbits(1) for number in numbers]).tobytes()
    target.write_bytes(data)


def print_row(name, steps, reference, rows):
    cells = [f"{abs(rows[step - 1][k] / reference[step - 1][k] - 1):.0e}" for k in (0, 1) for step in steps]
    print(f"{name:28}" + "".join(f"{cell:>8}" for cell in cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="as --data of train")
    parser.add_argument("--config", help="as --config of train")
    parser.add_argument("--processes", default="2,4")
    parser.add_argument("--seeds", type=int, default=3, help="trainings with flipped bits")
    parser.add_argument("--tools", default=ROOT / "build/tools", type=pathlib.Path)
    parser.add_argument("changes", nargs="*", metavar="key=value", help="settings of train")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        train(options, out / "start")
        start = out / "start/best.safetensors"
        reference = train(options, out / "one", weights=start)
        steps = [step for step in (1, 2, 4, 8, 16) if step <= len(reference)]
        print(f"{'step':28}" + "".join(f"{step:8}" for _ in range(2) for step in steps))
        print(f"{'':28}{'loss':>8}{'':{8 * (len(steps) - 1)}}{'gradient':>8}")
        for processes in (int(word) for word in options.processes.split(",")):
            rows = train(options, out / f"p{processes}", processes, start)
            print_row(f"{processes} processes", steps, reference, rows)
        for seed in range(1, options.seeds + 1):
            flip_last_bits(start, out / f"{seed}.safetensors", seed)
            rows = train(options, out / f"s{seed}", weights=out / f"{seed}.safetensors")
            print_row("1 process, last bits flipped", steps, reference, rows)


if __name__ == "__main__":
    main()
