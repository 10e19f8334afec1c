"""Reads the folders of training runs: metrics.csv, baselines.json and the settings in config.toml."""
import os

import numpy as np
from figures.files import numbers, read_json, read_text, require, PlotError

try:
    import tomllib
except ImportError:  # before Python 3.11: runs are called by their folders
    tomllib = None

METRICS = {"chi2": r"$\chi^2$, mean over sub-boxes", "error": "share of wrong classes", "mse": "mean squared error"}


def folder_of(run):
    return run if os.path.isdir(run) else os.path.dirname(run)


def members(run):
    """The run itself, or the runs in its folders seed-1, seed-2, ... if it is an ensemble."""
    if os.path.exists(os.path.join(run, "metrics.csv")):
        return [run]
    seeds = [os.path.join(run, name) for name in (os.listdir(run) if os.path.isdir(run) else [])
             if name.startswith("seed-") and os.path.exists(os.path.join(run, name, "metrics.csv"))]
    return sorted(seeds, key=lambda path: (len(path), path)) or [run]


def grouped(runs):
    """The runs in groups that differ in their seeds alone, in the order of their first runs."""
    groups = {}
    for run in runs:
        config = config_of(run)
        train = dict(config.get("train") if isinstance(config.get("train"), dict) else {})
        seed = train.pop("seed", None)
        train.pop("seeds", None)  # an ensemble of one is a run
        key = repr(sorted({**config, "train": train}.items())) if seed is not None else run
        while seed in groups.setdefault(key, {}):  # the same seed again, for example on another machine
            key += "'"
        groups[key][seed] = run
    return [list(group.values()) for group in groups.values()]


def read_metrics(run):
    """Rows (epoch, step, metric, lr) of training and of validation, and the metric, one of METRICS; it is nan if
    training diverged. A last line without a line break is still being written and is ignored."""
    path = os.path.join(run, "metrics.csv") if os.path.isdir(run) else run
    lines = read_text(path, "the folder of a run, or its metrics.csv").split("\n")[:-1]
    header = lines[0].split(",") if lines else []
    metric = next((name for name in METRICS if name in header), "chi2")
    for name in ["epoch", "step", "split", metric, "lr"]:
        require(name in header, path, ": the column ", name, " is missing: expected the file that train writes")
    table = {"train": [], "validation": []}
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(header, line.split(",")))
        try:
            table[row["split"]].append([int(row["epoch"]), int(row["step"]), float(row[metric]), float(row["lr"])])
        except (KeyError, ValueError):
            raise PlotError(f"{path}: line {number}: expected the columns {','.join(header)}, split being train or "
                            "validation and the rest numbers") from None
    require(table["train"], path, ": contains no training step: expected at least one finished epoch")
    train, validation = (np.array(rows, dtype=float).reshape(-1, 4) for rows in table.values())
    require(np.isfinite(train[:, 2]).any(), path, f": {metric}: at least one finite number was expected")
    require(np.isfinite(train[:, 3]).all(), path, ": lr: finite numbers were expected")
    require((np.diff(train[:, 1]) > 0).all() and (np.diff(train[:, 0]) >= 0).all(), path,
            ": epoch and step: rising numbers were expected")
    return train, validation, metric


def read_baselines(run, metric):
    """[(name, value)] of the metric on the run's validation samples; empty if the run has no baselines.json."""
    path = os.path.join(folder_of(run), "baselines.json")
    if not os.path.exists(path):
        return []
    result = read_json(path, "train")
    baselines = result.get("baselines")
    require(isinstance(baselines, list)
            and all(isinstance(b, dict) and isinstance(b.get("name"), str) for b in baselines), path,
            ": baselines: a list of objects with a name and a value was expected")
    values = [(b["name"], float(numbers(b.get("value"), f"{path}: baselines: {b['name']}", ()))) for b in baselines]
    return values if result.get("metric", metric) == metric else []


def config_of(run):
    """The settings in the run's config.toml; {} if they cannot be read: figures need them for names and groups only."""
    try:
        with open(os.path.join(folder_of(run), "config.toml"), "rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError, AttributeError):
        return {}


def model_of(run):
    """The model of the run as evaluate names it, for example 'um_resnet C=20'; '' if it cannot be read."""
    try:
        model = config_of(run)["model"]
        if model["name"] == "mlp":
            return "mlp " + "-".join(str(units) for units in model["hidden"])
        plain = " plain" if model.get("blocks") == "plain" else ""
        return model["name"] + plain + (f" C={model['channels']}" if "channels" in model else "")
    except (KeyError, TypeError):
        return ""
