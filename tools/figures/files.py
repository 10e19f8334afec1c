"""Reads the HDF5 files of plot.py: catalogs and predictions; and what all its readers share.

All input is checked: every problem raises a PlotError with one line naming the file, the field and what was expected.
"""
import contextlib
import json
import os
from types import SimpleNamespace

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


def read_json(path, writer):
    """A JSON object written by `writer`, its format version checked."""
    try:
        result = json.loads(read_text(path, f"the JSON that {writer} writes"))
    except (ValueError, RecursionError) as problem:
        raise PlotError(f"{path}: not JSON; the file that {writer} writes is expected") from problem
    require(isinstance(result, dict), path, ": not a JSON object; the file that ", writer, " writes is expected")
    check_version(result.get("format_version"), path)
    return result


def read_text(path, expected):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise PlotError(f"{path}: cannot be read ({reason}): expected {expected}") from problem


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


def text_of(file, key):
    """An attribute of the file as text; '' if it has none."""
    return str(attribute(file, "/", key)) if key in file.attrs else ""


def optional_number(file, key):
    """A positive attribute of the file, or None in a file of an older release."""
    if key not in file.attrs:
        return None
    value = float(numbers(file.attrs[key], f"{file.filename}: {key}", ()))
    require(value > 0, file.filename, f": {key}: a positive number was expected")
    return value


def require_predictions_of(catalog, predictions):
    """Refuses predictions whose catalog had another source or another number of sub-boxes."""
    with hdf5(catalog, "import or mock") as file, hdf5(predictions, "predict") as made:
        same = file.attrs.get("source") == made.attrs.get("source")
        size = optional_number(made, "subbox_size")
        if same and size and "box" in made:
            per_side = round(float(numbers(attribute(file, "/", "box_size"), f"{catalog}: box_size", ())) / size)
            same = made["box"].size == int(file.attrs.get("boxes", 1)) * per_side**3
    require(same, predictions, f": predictions of {catalog} were expected, but they are of another catalog")


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
    """What predict wrote, checked: predicted, true and, of an ensemble, scatter [boxes, bins] in `unit`, edges, box,
    validation [boxes] (None: none is marked), sigma [bins], subbox_size and h (None in files of older releases)."""
    with hdf5(path, "predict") as file:
        require("smf_true" in file, path, ": the dataset smf_true is missing: expected predictions from a catalog with "
                "the column stellar_mass")
        predicted = dataset(file, "smf_predicted", (None, None))
        boxes, bins = predicted.shape
        edges = numbers(attribute(file, "smf_true", "bin_edges"), f"{path}: smf_true: bin_edges", (bins + 1,))
        require((np.diff(edges) > 0).all(), path, ": smf_true: bin_edges: rising numbers were expected")
        return SimpleNamespace(
            path=path, predicted=predicted, true=dataset(file, "smf_true", predicted.shape), edges=edges,
            unit=str(attribute(file, "smf_true", "unit")), h=optional_number(file, "h"), run=text_of(file, "run"),
            sigma=numbers(file.attrs["sigma"], f"{path}: sigma", (bins,)) if "sigma" in file.attrs else None,
            scatter=(dataset(file, "smf_predicted_scatter", predicted.shape) if "smf_predicted_scatter" in file
                     else None),
            box=dataset(file, "box", (boxes,)).astype(int) if "box" in file else np.arange(boxes),
            validation=dataset(file, "validation", (boxes,)) != 0 if "validation" in file else None,
            subbox_size=optional_number(file, "subbox_size"))


def read_halos(path):
    """Predicted and true log10 M* [n] of halos that the forest was not fitted on (all if none are marked), kind, h."""
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
        h = optional_number(file, "h")
    kept = marked & np.isfinite(true)  # nan: a halo without a galaxy
    require(kept.any(), path, ": at least one halo with a stellar mass that was not in the fit was expected")
    return predicted[kept], true[kept], kind, h
