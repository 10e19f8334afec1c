#!/usr/bin/env python3
"""Trains ResNet18 on the images of Galaxy Zoo: umbra with three ways of augmenting, and PyTorch.

    galaxy_zoo.py run --data FOLDER --out OUT [--rows recipe,pytorch] [--seeds 1,2,3]   trains what OUT does not contain
    galaxy_zoo.py time --data FOLDER --out OUT [--rounds 6]      seconds of an epoch in turns, on an idle machine

All rows have the recipe of models/configs/galaxy_zoo.toml and predict with the weights of the last epoch, so that nothing
is chosen on the validation images. `run` may be stopped and repeated. galaxy_zoo_tables.py scores OUT. Needs the standard
library only, and the Python of --python PyTorch and h5py.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from turns import paired_ratio

ROOT = pathlib.Path(__file__).parent.parent
NONE = ["data.flips=false", "data.mirrored=", "data.turns=false", "data.rotation=0", "data.zoom=0", "data.shift=0"]
# Of every row: its name in tables, the program, and what differs from the recipe.
ROWS = {"recipe": ("flips and turns, labels swapped with flips", "umbra", []),
        "unswapped": ("flips and turns, labels left alone", "umbra", ["data.mirrored="]),
        "plain": ("no augmentation", "umbra", NONE),
        "pytorch": ("the recipe in PyTorch", "pytorch", [])}
# As bench/run.sh: memory is kept and in huge pages, which makes PyTorch faster.
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_TRIM_THRESHOLD_": "10000000000",
         "MALLOC_MMAP_THRESHOLD_": "10000000000"}


def call(command, environment=None):
    done = subprocess.run([str(word) for word in command], env={**os.environ, **(environment or {})}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)}\n{done.stdout[-2000:]}")
    return done.stdout


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- training ----
class Programs:
    def __init__(self, options):
        self.data, self.out = pathlib.Path(options.data), pathlib.Path(options.out)
        self.tools, self.python, self.changes = pathlib.Path(options.tools), options.python, options.changes

    def train(self, out, changes):
        settings = ["--config", ROOT / "models/configs/galaxy_zoo.toml", f"data.cache={self.out}", *self.changes, *changes]
        if (pathlib.Path(out) / "last.h5").exists():
            settings = ["--resume"]
        call([self.tools / "train", "--data", self.data, "--out", out, *settings])

    def pytorch(self, arguments, changes):
        decoded = sorted(self.out.glob("*.h5"), key=lambda path: path.stat().st_mtime)
        if not decoded:
            sys.exit(f"{self.out}: a data set of decoded images is expected, which the rows of umbra write")
        return call([self.python, ROOT / "bench/peers/pytorch_galaxy_zoo.py", "--data", decoded[-1], *arguments,
                     *self.changes, *changes], TUNED)


def run(options):
    programs = Programs(options)
    for seed in options.seeds.split(","):
        for row in options.rows.split(","):
            _, program, changes = ROWS[row]
            predictions = programs.out / row / f"seed-{seed}.csv"
            if predictions.exists():
                continue
            predictions.parent.mkdir(parents=True, exist_ok=True)
            written = predictions.with_suffix(".part.csv")
            if program == "umbra":
                trained = predictions.with_suffix("")
                programs.train(trained, [*changes, f"train.seed={seed}"])
                call([programs.tools / "predict", "--run", trained / "last.h5", "--data", programs.data, "--out", written,
                      "--overwrite"])
            else:
                programs.pytorch(["--seed", seed, "--out", written], changes)
            written.rename(predictions)
            print(f"{row}, seed {seed}: wrote {predictions}", flush=True)


# ---- seconds of an epoch ----
def umbra_epoch(programs):
    """Seconds of the second epoch: sum over its steps."""
    with tempfile.TemporaryDirectory() as folder:
        programs.train(f"{folder}/run", ["train.epochs=2", "train.warmup_epochs=0"])
        return sum(float(row["seconds"]) for row in read_rows(f"{folder}/run/metrics.csv")
                   if row["split"] == "train" and row["epoch"] == "2")


def pytorch_epoch(programs):
    with tempfile.TemporaryDirectory() as folder:
        programs.pytorch(["--log", f"{folder}/log.csv"], ["train.epochs=2", "train.warmup_epochs=0"])
        return float(read_rows(f"{folder}/log.csv")[-1]["seconds"])


def measure_time(options):
    programs, samples = Programs(options), {"umbra": [], "pytorch": []}
    take = {"umbra": umbra_epoch, "pytorch": pytorch_epoch}
    for turn in range(options.rounds):
        for side in (("umbra", "pytorch") if turn % 2 == 0 else ("pytorch", "umbra")):
            samples[side].append(round(take[side](programs), 3))
            print(f"{side}: {samples[side][-1]:.2f} s", flush=True)
    decoding = []  # of --dry-run: reading the table, decoding, writing the data set, and one step of a small network
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            call([programs.tools / "train", "--dry-run", "--data", programs.data, "--out", f"{folder}/run",
                  "model.name=resnet18", "model.channels=1"])
            decoding.append(round(time.perf_counter() - start, 3))
    ratio, low, high = paired_ratio(samples["pytorch"], samples["umbra"])
    result = {**samples, "ratio": ratio, "low": low, "high": high, "decoding": decoding, "changes": options.changes,
              "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))}
    (programs.out / f"time-{options.name}.json").write_text(json.dumps(result))
    print(f"umbra / PyTorch {ratio:.3f} [{low:.3f}, {high:.3f}]; decoding the folder: {statistics.median(decoding):.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in (("run", run), ("time", measure_time)):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("--data", required=True, help="the folder of images")
        command.add_argument("--out", required=True, help="folder for the runs")
        command.add_argument("--tools", default=ROOT / "build/tools")
        command.add_argument("--python", default="python3", help="Python with PyTorch and h5py")
        command.add_argument("changes", nargs="*", metavar="key=value", help="changes of the recipe, of all rows")
        if name == "run":
            command.add_argument("--rows", default=",".join(ROWS), help="of " + ", ".join(ROWS))
            command.add_argument("--seeds", default="1,2,3")
        else:
            command.add_argument("--rounds", type=int, default=6)
            command.add_argument("--name", default="recipe", help="of the row in the table of times")
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
