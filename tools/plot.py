#!/usr/bin/python3
"""Figures from the files umbra's tools write; each command makes OUT.png and OUT.pdf.

Nothing in a file is believed before it is checked: every complaint is one sentence naming the file, the field and
what was expected (exit status 1; wrong usage: 2). Needs matplotlib, numpy and h5py (Debian: python3-matplotlib,
python3-h5py). The grid of `slice` is the one of data/boxes/make_boxes.cpp: a halo on a voxel's lower face is inside.
"""
import argparse
import json
import math
import os
import re
import sys

try:
    import h5py
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    sys.exit(f"plot.py: {sys.executable} lacks {error.name}: install python3-matplotlib and python3-h5py")

# Okabe & Ito (2008): told apart with every kind of colour vision; markers differ too, for grey prints.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["^", "o", "s", "D", "v", "P", "X", "<", ">"]
GREY = "0.45"
HALF_PAGE, FULL_PAGE = 3.5, 7.1  # inches: one and two columns of a journal


class PlotError(Exception):
    """One sentence for the user."""


def require(condition, *sentence):
    if not condition:
        raise PlotError("".join(str(part) for part in sentence))


def style():
    plt.rcParams.update({
        "font.size": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7,
        "mathtext.fontset": "dejavusans", "axes.linewidth": 0.7, "lines.linewidth": 1.2, "lines.markersize": 4,
        "xtick.direction": "in", "ytick.direction": "in", "xtick.top": True, "ytick.right": True,
        "legend.frameon": False, "pdf.fonttype": 42, "savefig.dpi": 300})


def save(figure, out):
    """OUT.png and OUT.pdf, written aside; neither is renamed into place before both are whole."""
    stem = out[:-4] if out.lower().endswith((".png", ".pdf")) else out
    pending = []
    try:
        for kind in ("png", "pdf"):
            pending.append((f"{stem}.{os.getpid()}.tmp.{kind}", f"{stem}.{kind}"))
            metadata = {"CreationDate": None} if kind == "pdf" else None  # the same figure, the same bytes
            figure.savefig(pending[-1][0], bbox_inches="tight", pad_inches=0.03, metadata=metadata)
        for aside, final in pending:
            os.replace(aside, final)
    except OSError as problem:
        raise PlotError(f"{stem}.png: cannot be written ({problem.strerror or problem}): expected --out in a folder "
                        "that exists and is writable") from problem
    finally:
        for aside, _ in pending:
            if os.path.exists(aside):
                os.remove(aside)
        plt.close(figure)
    print(f"wrote {stem}.png and {stem}.pdf")


def pretty(unit):
    """A unit such as '(Mpc/h)^-3 per bin' with its exponents raised."""
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", unit)


# ---- reading -----------------------------------------------------------------------------------------------------

def numbers(values, where, shape):
    """`values` as finite floats of that shape; None in `shape`: any extent from 1."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    fits = array.ndim == len(shape) and array.size > 0 and all(s in (None, n) for s, n in zip(shape, array.shape))
    expected = " x ".join("n" if s is None else str(s) for s in shape) or "one"
    require(fits, where, ": ", expected, " numbers were expected")
    require(np.isfinite(array).all(), where, ": holds nan, null or infinity where finite numbers were expected")
    return array


def read_text(path, expected):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise PlotError(f"{path}: cannot be read ({reason}): expected {expected}") from problem


def read_evaluation(path):
    """Bin edges, the arrays of `fields`, the models and the whole file."""
    fields = ["sigma", "smf_true_mean", "smf_true_standard_deviation"]
    try:
        result = json.loads(read_text(path, "the JSON that evaluate writes"))
    except ValueError as problem:
        raise PlotError(f"{path}: is not JSON ({problem}): expected the file that evaluate writes") from problem
    for field in ["bin_edges_log10_msun", "smf_unit", "models"] + fields:
        require(isinstance(result, dict) and field in result, path, ": the field ", field,
                " is missing: expected the file that evaluate writes")
    edges = numbers(result["bin_edges_log10_msun"], f"{path}: bin_edges_log10_msun", (None,))
    require(edges.size > 1 and (np.diff(edges) > 0).all(), path,
            ": bin_edges_log10_msun: at least 2 rising numbers were expected")
    data = [numbers(result[field], f"{path}: {field}", (edges.size - 1,)) for field in fields]
    require((data[0] > 0).all(), path, ": sigma: positive numbers were expected")
    require(isinstance(result["models"], list) and result["models"], path, ": models: a list was expected")
    for i, model in enumerate(result["models"]):
        where = f"{path}: models[{i}]"
        require(isinstance(model, dict) and isinstance(model.get("name"), str), where, ".name: a text was expected")
        for field in ("smf_mean", "smf_standard_deviation"):
            model[field] = numbers(model.get(field), f"{where}.{field}", (edges.size - 1,))
    return edges, data, result


def read_metrics(run):
    """Rows epoch, step, chi2, lr by split. A last line without its line break is still being written: left out."""
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
    require(table["train"], path, ": holds no training step: expected at least one finished epoch")
    train, validation = (np.array(rows, dtype=float).reshape(-1, 4) for rows in table.values())
    require(np.isfinite(train[:, 2]).any(), path, ": chi2: at least one finite number was expected")
    require((np.diff(train[:, 1]) > 0).all(), path, ": step: rising numbers were expected")
    return train, validation


def open_hdf5(path, writer):
    require(os.path.exists(path), path, ": does not exist: expected the HDF5 file that ", writer, " writes")
    try:
        return h5py.File(path, "r")
    except OSError as problem:
        raise PlotError(f"{path}: is not a whole HDF5 file: expected one that {writer} writes") from problem


def dataset(file, name, shape):
    item = file.get(name)
    require(isinstance(item, h5py.Dataset), file.filename, ": the dataset ", name, " is missing")
    require(item.dtype.kind in "iuf", file.filename, ": ", name, ": numbers were expected")
    try:
        return numbers(item[()], f"{file.filename}: {name}", shape)
    except OSError as problem:
        raise PlotError(f"{file.filename}: {name}: the data are damaged: expected a whole dataset") from problem


def attribute(item, key, file):
    require(key in item.attrs, file.filename, ": the attribute ", key, " of ", item.name, " is missing")
    value = item.attrs[key]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


# ---- smf: the paper's Figure 6 -----------------------------------------------------------------------------------

def marker(i):
    colour = COLOURS[i % len(COLOURS)]
    return {"color": colour, "ls": "none", "marker": MARKERS[i % len(MARKERS)], "ms": 3.6, "mew": 0.8,
            "mfc": colour if i < len(COLOURS) else "white"}


def model_labels(models):
    """Names with the run's folder shortened to its last part where that stays unambiguous, and chi^2."""
    short = [m["name"].replace(m.get("run"), os.path.basename(os.path.normpath(m.get("run")))) if m.get("run") else m["name"]
             for m in models]
    labels = [s if short.count(s) == 1 else m["name"] for s, m in zip(short, models)]
    for i, model in enumerate(models):
        chi2 = model["chi2"] if isinstance(model.get("chi2"), dict) else {}
        mean, error = chi2.get("mean"), chi2.get("standard_error")
        if isinstance(mean, (int, float)) and isinstance(error, (int, float)):
            digits = max(0, 1 - math.floor(math.log10(error))) if 0 < error < 10 else 0
            labels[i] += rf": $\chi^2 = {mean:.{digits}f} \pm {error:.{digits}f}$"
    return labels


def plot_smf(arguments):
    edges, (sigma, truth, spread), result = read_evaluation(arguments.evaluation)
    models, middle, width = result["models"], (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    require((truth > 0).any(), arguments.evaluation, ": smf_true_mean: at least one positive density was expected")
    low = truth[truth > 0].min() / 6
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 4.0),
                                         gridspec_kw={"height_ratios": [2.4, 1], "hspace": 0.06})
    band = [np.append(values, values[-1]) for values in (np.maximum(truth - spread, low / 9), truth + spread)]
    top.fill_between(edges, *band, step="post", color="0.87", lw=0,
                     label=rf"truth, $\pm1\sigma$ scatter of {result.get('validation_boxes', 'the')} boxes")
    top.stairs(np.maximum(truth, low / 9), edges, baseline=None, color=GREY, ls="--", lw=1.2, label="truth, mean")
    bottom.axhline(0, color=GREY, ls="--", lw=1.2)
    step = min(0.16, 0.7 / len(models))  # of a bin's width, from model to model
    for i, (model, label) in enumerate(zip(models, model_labels(models))):
        x, mean = middle + (i - (len(models) - 1) / 2) * step * width, model["smf_mean"]
        look = marker(i)
        shown = mean > low
        top.errorbar(x[shown], mean[shown], model["smf_standard_deviation"][shown], elinewidth=0.8, label=label, **look)
        for at in x[~shown]:  # a mean that a logarithm cannot show, or far below every truth: an arrow at the axis
            top.annotate("", (at, 0), (at, 0.07), xycoords=top.get_xaxis_transform(),
                         arrowprops={"arrowstyle": "->", "color": look["color"], "lw": 0.8})
        bottom.plot(x, (mean - truth) / sigma, **look)
    top.set_yscale("log", nonpositive="clip")
    top.set_ylim(low, 2 * max((truth + spread).max(), max(m["smf_mean"].max() for m in models)))
    top.set_ylabel(rf"$\phi$  [{pretty(str(result['smf_unit']))}]")
    top.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=1.6, labelspacing=0.3, borderpad=0.1)
    bottom.set_ylabel(r"$(\phi - \phi_\mathrm{truth})\,/\,\sigma_\mathrm{loss}$")
    bottom.set_xlabel(r"$\log_{10}\, M_*$  [M$_\odot$]")
    bottom.set_xlim(edges[0] - 0.3 * width[0], edges[-1] + 0.3 * width[-1])
    figure.align_ylabels()
    save(figure, arguments.out)


# ---- loss: Figure 5 ----------------------------------------------------------------------------------------------

def plot_loss(arguments):
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 3.4),
                                         gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08})
    names = [os.path.basename(os.path.normpath(run)) for run in arguments.run]
    for i, run in enumerate(arguments.run):
        train, validation = read_metrics(run)
        name = "" if len(names) == 1 else (names[i] if names.count(names[i]) == 1 else run) + ", "
        colour = COLOURS[i % len(COLOURS)]
        epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
        # The mean over an epoch's steps belongs to its middle; validation comes at its end.
        mean = np.add.reduceat(train[:, 2], first) / steps
        top.plot(epochs - 0.5, mean, color=colour, ls=(0, (2, 1)), lw=1.0, label=name + "training, mean over the epoch")
        if len(validation):
            top.plot(validation[:, 0], validation[:, 2], color=colour, marker=MARKERS[i % len(MARKERS)], ms=3,
                     mfc="white", mew=0.8, markevery=max(1, len(validation) // 30), label=name + "validation")
        x = train[:, 0] - 1 + (np.arange(len(train)) - np.repeat(first, steps)) / np.repeat(steps, steps)
        bottom.step(np.append(x, epochs[-1]), np.append(train[:, 3], train[-1, 3]), where="post", color=colour)
        changes = np.flatnonzero(np.diff(train[:, 3]) != 0) + 1
        for at in x[changes] if len(changes) <= 10 else []:  # a rate that changes all the time shows below
            top.axvline(at, color=colour, ls=":", lw=0.8, zorder=0)
    positive = all((line.get_ydata()[np.isfinite(line.get_ydata())] > 0).all() for line in top.lines if line.get_label()[0] != "_")
    top.set_yscale("log" if positive else "linear")
    top.set_ylabel(r"$\chi^2$ per sub-box")
    top.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=2.2, labelspacing=0.3, borderpad=0.1)
    bottom.set_yscale("log" if all((line.get_ydata() > 0).all() for line in bottom.lines) else "linear")
    bottom.set_ylabel("learning rate")
    bottom.set_xlabel("epoch")
    bottom.set_xlim(left=0)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.align_ylabels()
    save(figure, arguments.out)


# ---- slice: what the network sees --------------------------------------------------------------------------------

def read_halos(path, min_vpeak):
    """Positions [n, 3] wrapped into the cube, vpeak [n] and cube [n] of the halos above the cut; side; unit."""
    with open_hdf5(path, "import or mock") as file:
        side = float(numbers(attribute(file["/"], "box_size", file), f"{path}: box_size", ()))
        require(side > 0, path, ": box_size: a positive number was expected")
        vpeak = dataset(file, "halos/vpeak", (None,))
        columns = [dataset(file, f"halos/{axis}", vpeak.shape) for axis in "xyz"]
        cube = dataset(file, "halos/box", vpeak.shape) if "halos/box" in file else np.zeros(vpeak.size)
        units = [str(attribute(file[f"halos/{name}"], "unit", file)) for name in ("x", "vpeak")]
    kept = vpeak >= min_vpeak
    return np.stack(columns, 1)[kept] % side, vpeak[kept], cube[kept].astype(int), side, units


def mean_field(cells, vpeak, voxels):
    """Mean Vpeak per voxel [V, V, V], 0 where no halo stands, as data/boxes/make_boxes.cpp."""
    flat = np.ravel_multi_index(cells.T, (voxels,) * 3)
    count = np.bincount(flat, minlength=voxels**3)
    return (np.bincount(flat, vpeak, voxels**3) / np.maximum(count, 1)).reshape((voxels,) * 3)


def plot_slice(arguments):
    halos, vpeak, cube, side, (length, speed) = read_halos(arguments.data, arguments.min_vpeak)
    per_side, voxels = round(side / arguments.subbox_size), arguments.voxels
    require(per_side >= 1 and math.isclose(per_side * arguments.subbox_size, side, rel_tol=1e-9), arguments.data,
            ": box_size is ", side, " ", length, ": a --subbox-size that divides it was expected, not ",
            arguments.subbox_size)
    require(arguments.depth <= voxels, "--depth: at most --voxels = ", voxels, " was expected, not ", arguments.depth)
    which, inside = divmod(arguments.box, per_side**3)
    corner = np.array(np.unravel_index(inside, (per_side,) * 3))
    start = (voxels - arguments.depth) // 2  # the slab lies in the middle of the sub-box, along z
    cells = np.minimum((halos * (per_side * voxels / side)).astype(int), per_side * voxels - 1) - corner * voxels
    in_slab = (cube == which) & (cells[:, 2] >= start) & (cells[:, 2] < start + arguments.depth)
    in_box = (cube == which) & ((cells >= 0) & (cells < voxels)).all(1)
    require(in_box.any(), arguments.data, ": halos: sub-box ", arguments.box, " holds no halo with vpeak of at least ",
            arguments.min_vpeak, " ", speed, " (there are ", per_side**3, " sub-boxes in each cube)")
    field = mean_field(cells[in_box], vpeak[in_box], voxels)[:, :, start:start + arguments.depth].max(2)
    wide = per_side > 1
    figure, axes = plt.subplots(1, 2 if wide else 1, figsize=(FULL_PAGE if wide else HALF_PAGE, 3.3), squeeze=False)
    origin, size = corner * side / per_side, side / per_side
    depth = arguments.depth * size / voxels
    if wide:
        plot_cube(axes[0, 0], halos[in_slab], vpeak[in_slab], origin, size, side)
    right = axes[0, -1]
    image = right.imshow(np.ma.masked_equal(field, 0).T, origin="lower", cmap="cividis_r", interpolation="nearest",
                         extent=(origin[0], origin[0] + size, origin[1], origin[1] + size))
    shown = in_slab & in_box
    right.scatter(*halos[shown, :2].T, s=6, facecolors="white", edgecolors="black", linewidths=0.5)
    figure.colorbar(image, ax=right, fraction=0.046, pad=0.03, label=rf"mean $V_\mathrm{{peak}}$ in a voxel  [{speed}]")
    for ax in axes[0]:
        ax.set_xlabel(f"x  [{length}]")
        ax.set_ylabel(f"y  [{length}]")
    low = origin[2] + start * size / voxels
    right.set_title(f"sub-box {arguments.box}, {low:g} \u2264 z < {low + depth:g} {length}", fontsize=8)
    save(figure, arguments.out)


def plot_cube(ax, halos, vpeak, origin, size, side):
    """All halos of the slab, the sub-box outlined."""
    order = np.argsort(vpeak)
    ax.scatter(*halos[order, :2].T, s=np.clip((vpeak[order] / 200)**2, 0.4, 12) * 0.35, c="black", linewidths=0,
               rasterized=True)
    ax.add_patch(plt.Rectangle(origin[:2], size, size, fill=False, ec=COLOURS[1], lw=1.4))
    ax.set(xlim=(0, side), ylim=(0, side), aspect="equal")
    ax.set_title("all halos in the same slab; area $\\propto V_\\mathrm{peak}^2$", fontsize=8)


# ---- predictions -------------------------------------------------------------------------------------------------

def plot_predictions(arguments):
    path = arguments.predictions
    with open_hdf5(path, "predict") as file:
        predicted = dataset(file, "smf_predicted", (None, None))
        require("smf_true" in file, path, ": the dataset smf_true is missing: a catalog with stellar_mass was expected")
        true = dataset(file, "smf_true", predicted.shape)
        unit = str(attribute(file["smf_true"], "unit", file))
        edges = numbers(attribute(file["smf_true"], "bin_edges", file), f"{path}: bin_edges", (predicted.shape[1] + 1,))
        held_out = dataset(file, "validation", predicted.shape[:1]) != 0 if "validation" in file else None
    if held_out is not None:
        require(held_out.any(), path, ": validation: at least one box marked 1 was expected")
        predicted, true = predicted[held_out], true[held_out]
    draw_predictions(predicted, true, edges, pretty(unit), "validation" if held_out is not None else "predicted", arguments.out)


def draw_predictions(predicted, true, edges, unit, kind, out):
    figure, ax = plt.subplots(figsize=(HALF_PAGE, 3.1))
    largest = max(true.max(), predicted.max())
    linear = true[true > 0].min() if (true > 0).any() else largest or 1.0  # one galaxy: about zero the axes are linear
    bins = predicted.shape[1]
    colours = plt.get_cmap("viridis_r")(np.linspace(0.08, 1, bins))
    for b in range(bins):
        ax.plot(true[:, b], predicted[:, b], ls="none", marker=".", ms=2, mew=0, color=colours[b], alpha=0.6, rasterized=True)
    for b in range(bins):
        ax.plot(true[:, b].mean(), predicted[:, b].mean(), "o", ms=5, mfc=colours[b], mec="black", mew=0.7)
    ends = [min(0.0, predicted.min()), 1.3 * largest]
    ax.plot(ends, ends, color="black", ls="--", lw=0.8)
    ax.set_xscale("symlog", linthresh=linear)
    ax.set_yscale("symlog", linthresh=linear)
    ax.set_xlabel(rf"true $\phi$  [{unit}]")
    ax.set_ylabel(rf"predicted $\phi$  [{unit}]")
    save(figure, out)


# ---- the command line --------------------------------------------------------------------------------------------

def positive(kind):
    def parse(text):
        value = kind(text)
        if not (value > 0 and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"a positive number was expected, not {text}")
        return value
    return parse


def from_zero(kind):
    def parse(text):
        value = kind(text)
        if not (value >= 0 and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"a number from 0 was expected, not {text}")
        return value
    return parse


def command_line():
    look = {"add_help": False, "allow_abbrev": False, "formatter_class": argparse.ArgumentDefaultsHelpFormatter}
    parser = argparse.ArgumentParser("plot.py", description="Figures from the files that umbra's tools write.", **look)
    parser.add_argument("--help", action="help", help="print this help and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, draw, text):
        sub = commands.add_parser(name, help=text, description=text, **look)
        sub.set_defaults(draw=draw)
        sub.add_argument("--help", action="help", help="print this help and exit")
        sub.add_argument("--out", required=True, default=argparse.SUPPRESS, help="OUT.png and OUT.pdf are written")
        return lambda flag, say, **more: sub.add_argument(flag, help=say, **({"default": argparse.SUPPRESS} | more))

    add = command("smf", plot_smf, "mean stellar mass function of the validation boxes, per model and true")
    add("--evaluation", "JSON written by evaluate; its unit is put on the axis", required=True)
    add = command("loss", plot_loss, "chi^2 of training and validation against the epoch")
    add("--run", "folders written by train, or their metrics.csv", required=True, nargs="+")
    add = command("slice", plot_slice, "the input of the network: mean Vpeak per voxel of one sub-box")
    add("--data", "catalog (HDF5) written by import or mock", required=True)
    add("--box", "which sub-box, counted as in predictions.h5", type=from_zero(int), default=0)
    add("--subbox-size", "side of a sub-box in Mpc/h; must divide the catalog's box", type=positive(float), default=25.0)
    add("--voxels", "voxels per side of a sub-box", type=positive(int), default=25)
    add("--depth", "voxels along z, in the middle of the sub-box, of which the largest is shown", type=positive(int), default=5)
    add("--min-vpeak", "halos below do not enter, km/s", type=from_zero(float), default=150.0)
    add = command("predictions", plot_predictions, "predicted against true number densities of the validation boxes")
    add("--predictions", "HDF5 written by predict from a catalog with stellar masses", required=True)
    return parser


def main():
    arguments = command_line().parse_args()
    style()
    try:
        arguments.draw(arguments)
    except PlotError as problem:
        print(f"plot.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
