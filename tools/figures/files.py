"""Reads the input of plot.py: evaluation.json, metrics.csv, predictions.h5, catalog.h5, and the files of forest.

All input is checked: every problem raises a PlotError with one line naming the file, the field and what was expected.
"""
import contextlib
import json
import os

import h5py
import numpy as np


FORMAT_VERSION = 1  # the newest this release reads, as in engine/io/format_version.h


class PlotError(Exception):
    """An error message of one line for the user."""


def require(condition, *sentence):
    if not condition:
        raise PlotError("".join(str(part) for part in sentence))


def numbers(values, where, shape):
    """`values` as finite floats of that shape. None in `shape`: any extent from 1; (): one number."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    fits = array.ndim == len(shape) and array.size > 0 and all(s in (None, n) for s, n in zip(shape, array.shape))
    expected = " x ".join("n" if s is None else str(s) for s in shape) or "one"
    require(fits, where, ": ", expected, " numbers were expected")
    require(np.isfinite(array).all(), where, ": finite numbers were expected, but it contains nan, null or infinity")
    return array


def check_version(version, path):
    """Checks the format version. A file without one is older than the versions, and is read."""
    found = int(numbers(version, f"{path}: format_version", ())) if version is not None else 1
    require(found <= FORMAT_VERSION, path, ": the file has format version ", found, ", but this release reads versions "
            "up to ", FORMAT_VERSION, "; use a newer umbra")


def read_text(path, expected):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise PlotError(f"{path}: cannot be read ({reason}): expected {expected}") from problem


def read_evaluation(path):
    """Bin edges, (sigma, true mean, true standard deviation) and the whole file, with its models' arrays checked."""
    fields = ["sigma", "smf_true_mean", "smf_true_standard_deviation"]
    try:
        result = json.loads(read_text(path, "the JSON that evaluate writes"))
    except (ValueError, RecursionError) as problem:
        raise PlotError(f"{path}: is not JSON ({problem}): expected the file that evaluate writes") from problem
    check_version(result.get("format_version") if isinstance(result, dict) else None, path)
    for field in ["bin_edges_log10_msun", "smf_unit", "models"] + fields:
        require(isinstance(result, dict) and field in result, path, ": the field ", field,
                " is missing: expected the file that evaluate writes")
    edges = numbers(result["bin_edges_log10_msun"], f"{path}: bin_edges_log10_msun", (None,))
    require(edges.size > 1 and (np.diff(edges) > 0).all(), path,
            ": bin_edges_log10_msun: at least 2 rising numbers were expected")
    data = [numbers(result[field], f"{path}: {field}", (edges.size - 1,)) for field in fields]
    require((data[0] > 0).all(), path, ": sigma: positive numbers were expected")
    require((data[1] > 0).any(), path, ": smf_true_mean: at least one positive density was expected")
    require(isinstance(result["models"], list) and result["models"], path, ": models: a list was expected")
    for i, model in enumerate(result["models"]):
        where = f"{path}: models[{i}]"
        require(isinstance(model, dict) and isinstance(model.get("name"), str), where, ".name: a text was expected")
        for field in ("smf_mean", "smf_standard_deviation"):
            model[field] = numbers(model.get(field), f"{where}.{field}", (edges.size - 1,))
        require((model["smf_standard_deviation"] >= 0).all(), where,
                ".smf_standard_deviation: numbers from 0 were expected")
    return edges, data, result


def read_metrics(run):
    """Rows (epoch, step, chi2, lr) of training and of validation; chi2 is nan if training diverged.

    A last line without a line break is still being written and is ignored."""
    path = os.path.join(run, "metrics.csv") if os.path.isdir(run) else run
    lines = read_text(path, "the folder of a run, or its metrics.csv").split("\n")[:-1]
    header = lines[0].split(",") if lines else []
    for name in ["epoch", "step", "split", "chi2", "lr"]:
        require(name in header, path, ": the column ", name, " is missing: expected the file that train writes")
    table = {"train": [], "validation": []}
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(header, line.split(",")))
        try:
            table[row["split"]].append([int(row["epoch"]), int(row["step"]), float(row["chi2"]), float(row["lr"])])
        except (KeyError, ValueError):
            raise PlotError(f"{path}: line {number}: expected the columns {','.join(header)}, split being train or "
                            "validation and the rest numbers") from None
    require(table["train"], path, ": contains no training step: expected at least one finished epoch")
    train, validation = (np.array(rows, dtype=float).reshape(-1, 4) for rows in table.values())
    require(np.isfinite(train[:, 2]).any(), path, ": chi2: at least one finite number was expected")
    require(np.isfinite(train[:, 3]).all(), path, ": lr: finite numbers were expected")
    require((np.diff(train[:, 1]) > 0).all() and (np.diff(train[:, 0]) >= 0).all(), path,
            ": epoch and step: rising numbers were expected")
    return train, validation


@contextlib.contextmanager
def hdf5(path, writer):
    """An open file; errors of the HDF5 library while it is open become a PlotError."""
    require(os.path.exists(path), path, ": does not exist: expected the HDF5 file that ", writer, " writes")
    try:
        with h5py.File(path, "r") as file:
            check_version(file.attrs.get("format_version"), path)
            yield file
    except (OSError, RuntimeError, KeyError, ValueError) as problem:
        raise PlotError(f"{path}: is damaged or not HDF5: expected the file that {writer} writes") from problem


def dataset(file, name, shape):
    item = file.get(name)
    require(isinstance(item, h5py.Dataset), file.filename, ": the dataset ", name, " is missing")
    require(item.dtype.kind in "iuf", file.filename, ": ", name, ": numbers were expected")
    return numbers(item[()], f"{file.filename}: {name}", shape)


def attribute(file, name, key):
    require(name in file and key in file[name].attrs, file.filename, ": the attribute ", key, " of ", name,
            " is missing")
    value = file[name].attrs[key]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def read_catalog(path):
    """Positions [n, 3] wrapped into the cube, vpeak [n], cube [n], side of the cubes, their number, (unit of length,
    of velocity)."""
    with hdf5(path, "import or mock") as file:
        side = float(numbers(attribute(file, "/", "box_size"), f"{path}: box_size", ()))
        cubes = int(numbers(file.attrs.get("boxes", 1), f"{path}: boxes", ()))
        require(side > 0 and cubes > 0, path, ": box_size and boxes: positive numbers were expected")
        vpeak = dataset(file, "halos/vpeak", (None,))
        position = np.stack([dataset(file, f"halos/{axis}", vpeak.shape) for axis in "xyz"], axis=1)
        cube = dataset(file, "halos/box", vpeak.shape) if cubes > 1 else np.zeros(vpeak.size)
        units = [str(attribute(file, f"halos/{name}", "unit")) if "unit" in file[f"halos/{name}"].attrs else usual
                 for name, usual in (("x", "Mpc/h"), ("vpeak", "km/s"))]
    return position % side, vpeak, cube, side, cubes, units


def read_predictions(path):
    """Predicted and true [boxes, bins] of the validation boxes (of all if none are marked), edges, unit, kind."""
    with hdf5(path, "predict") as file:
        require("smf_true" in file, path, ": the dataset smf_true is missing: expected predictions from a catalog with "
                "the column stellar_mass")
        predicted = dataset(file, "smf_predicted", (None, None))
        true = dataset(file, "smf_true", predicted.shape)
        unit = str(attribute(file, "smf_true", "unit"))
        edges = numbers(attribute(file, "smf_true", "bin_edges"), f"{path}: smf_true: bin_edges",
                        (predicted.shape[1] + 1,))
        marked = dataset(file, "validation", predicted.shape[:1]) != 0 if "validation" in file else None
    if marked is None:
        return predicted, true, edges, unit, "predicted"
    require(marked.any(), path, ": validation: at least one box marked 1 was expected")
    return predicted[marked], true[marked], edges, unit, "validation"


def read_halos(path):
    """Predicted and true log10 M* [n] of halos that the forest was not fitted on (all if none are marked), kind."""
    with hdf5(path, "forest predict") as file:
        require("log_mass_true" in file, path, ": the dataset log_mass_true is missing: expected predictions from a "
                "catalog with the column stellar_mass")
        predicted = dataset(file, "log_mass_predicted", (None,))
        item = file["log_mass_true"]
        require(isinstance(item, h5py.Dataset) and item.shape == predicted.shape and item.dtype.kind == "f", path,
                ": log_mass_true: as many numbers as log_mass_predicted were expected")
        true = item[()].astype(float)
        marked = dataset(file, "training", predicted.shape) == 0 if "training" in file else np.isfinite(predicted)
        kind = "left out of the fit" if "training" in file else "of another catalog"
    kept = marked & np.isfinite(true)  # nan: a halo without a galaxy
    require(kept.any(), path, ": at least one halo with a stellar mass that was not in the fit was expected")
    return predicted[kept], true[kept], kind


def read_importance(path):
    """Names of columns, of groups, and [(measure, mean, standard error)]; permutations: columns, then groups."""
    try:
        result = json.loads(read_text(path, "the JSON that forest importance writes"))
    except (ValueError, RecursionError) as problem:
        raise PlotError(f"{path}: is not JSON ({problem}): expected what forest importance writes") from problem
    check_version(result.get("format_version") if isinstance(result, dict) else None, path)
    require(isinstance(result, dict) and isinstance(result.get("features"), list) and result["features"]
            and all(isinstance(name, str) for name in result["features"]), path,
            ": features: a list of names was expected, as in the file that forest importance writes")
    measures = []
    groups = result.get("permutation_of_groups", [])
    require(isinstance(groups, list) and all(isinstance(g, dict) and isinstance(g.get("name"), str) for g in groups),
            path, ": permutation_of_groups: a list of groups with names was expected")
    for field in ("decrease_of_variance_normalised", "unbiased_decrease", "permutation"):
        if field != "decrease_of_variance_normalised" and field not in result:
            continue  # every tree saw all rows
        measure = result.get(field)
        require(isinstance(measure, dict), path, f": {field} is missing: expected what forest importance writes")
        values = [numbers(measure.get(key), f"{path}: {field}.{key}", (len(result["features"]),))
                  for key in ("mean", "standard_error")]
        if field == "permutation" and groups:
            values = [np.append(value, [float(numbers(g.get(key), f"{path}: permutation_of_groups: {key}", ()))
                                        for g in groups]) for value, key in zip(values, ("mean", "standard_error"))]
        measures.append((field, *values))
    return result["features"], [group["name"] for group in groups], measures
