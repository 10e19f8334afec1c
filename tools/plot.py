#!/usr/bin/python3
"""Figures from the files umbra's tools write; each command makes OUT.png and OUT.pdf.

Errors are one sentence (exit status 1; wrong usage: 2). Needs matplotlib, numpy and h5py (Debian: python3-matplotlib,
python3-h5py). Reading and checking is in plot_files.py; the grid of `slice` is that of data/boxes/make_boxes.cpp.
"""
import argparse
import math
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the sources
try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib import ticker
    from plot_files import (PlotError, read_catalog, read_evaluation, read_halos, read_importance, read_metrics,
                            read_predictions, require)
except ImportError as missing:
    sys.exit(f"plot.py: {sys.executable} lacks the module {missing.name}: install python3-matplotlib and python3-h5py")

# Okabe & Ito (2008): told apart with every kind of colour vision; markers differ too, for grey prints.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["^", "o", "s", "D", "v", "P", "X", "<", ">"]
GREY = "0.4"
HALF_PAGE, FULL_PAGE = 3.5, 7.1  # inches: one and two columns of a journal
STYLE = {"font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
         "legend.fontsize": 7, "legend.frameon": False, "legend.labelspacing": 0.3, "legend.borderpad": 0.1,
         "legend.borderaxespad": 0.4, "axes.linewidth": 0.7, "lines.linewidth": 1.2, "xtick.direction": "in",
         "ytick.direction": "in", "xtick.top": True, "ytick.right": True, "pdf.fonttype": 42, "savefig.dpi": 300}
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0)}  # a legend there covers no data


INPUTS = set()  # files that this command reads


def save(figure, out):
    """OUT.png and OUT.pdf, written aside; neither is renamed into place before both are whole. Links are written
    through, files that are there keep their mode."""
    stem = out[:-4] if out.lower().endswith((".png", ".pdf")) else out
    require(os.path.basename(stem), f"--out '{out}': the name of a file is expected")
    pending = []
    for kind in ("png", "pdf"):
        final = os.path.realpath(f"{stem}.{kind}")
        require(final not in INPUTS, f"{stem}.{kind}: cannot be written: it is an input and would be lost")
        require(not os.path.islink(final), f"{stem}.{kind}: cannot be written: its link leads in a circle")
        require(os.path.isfile(final) or not os.path.exists(final), f"{stem}.{kind}: cannot be written: it exists and "
                "is not a regular file")
        require(not os.path.exists(final) or os.access(final, os.W_OK), f"{stem}.{kind}: cannot be written: it exists "
                "and is write-protected")
        pending.append((os.path.join(os.path.dirname(final), f".umbra-tmp.{os.getpid()}.{kind}"), final))
    try:
        for aside, _ in pending:
            dated = {"metadata": {"CreationDate": None}} if aside.endswith("pdf") else {}  # same figure, same bytes
            figure.savefig(aside, bbox_inches="tight", pad_inches=0.03, **dated)
        for aside, final in pending:
            if os.path.exists(final):
                shutil.copymode(final, aside)
            os.replace(aside, final)
    except OSError as problem:
        raise PlotError(f"{stem}.png, {stem}.pdf: cannot be written ({problem.strerror or problem}): expected --out in "
                        "a folder that can be written") from problem
    finally:
        for aside, _ in pending:
            if os.path.exists(aside):
                os.remove(aside)
    print(f"wrote {stem}.png and {stem}.pdf")


def plain(text):
    """Text of a file or path for a label: no mathematics, and no underscore in front, which hides it in legends."""
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def pretty(unit):
    """A unit such as '(Mpc/h)^-3 per bin' with its exponents raised."""
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", plain(unit))


def last_parts(paths):
    """The last part of every path, or the whole path where last parts coincide."""
    last = [os.path.basename(os.path.normpath(path)) for path in paths]
    return [part if last.count(part) == 1 else path for part, path in zip(last, paths)]


# ---- smf: the paper's Figure 6 -----------------------------------------------------------------------------------

def model_labels(models):
    """Names, a run by the last part of its path, with chi^2 and its standard error where the file has them."""
    runs = last_parts([str(model.get("run") or i) for i, model in enumerate(models)])
    labels = []
    for model, run in zip(models, runs):
        labels.append(plain(model["name"].replace(str(model["run"]), run) if model.get("run") else model["name"]))
        chi2 = model["chi2"] if isinstance(model.get("chi2"), dict) else {}
        mean, error = chi2.get("mean"), chi2.get("standard_error")
        if isinstance(mean, (int, float)) and isinstance(error, (int, float)):
            digits = max(0, 1 - math.floor(math.log10(error))) if 0 < error < 10 else 0
            labels[-1] += rf":  $\chi^2 = {mean:.{digits}f} \pm {error:.{digits}f}$"
    return labels


def plot_smf(arguments):
    edges, (sigma, truth, spread), result = read_evaluation(arguments.evaluation)
    models, middle, width = result["models"], (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    low = truth[truth > 0].min() / 6  # a logarithmic axis ends somewhere; what lies below runs off it
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 4.0),
                                         gridspec_kw={"height_ratios": [2.4, 1], "hspace": 0.06})
    band = [np.append(values, values[-1]) for values in (np.maximum(truth - spread, low / 9), truth + spread)]
    top.fill_between(edges, *band, step="post", color="0.88", lw=0,
                     label=rf"truth, $\pm1\sigma$ scatter over {result.get('validation_boxes', 'the')} boxes")
    top.stairs(np.maximum(truth, low / 9), edges, baseline=None, color=GREY, ls="--", lw=1.2, label="truth, mean")
    bottom.axhline(0, color=GREY, ls="--", lw=1.2)
    step = min(0.2, 0.76 / len(models))  # of a bin's width, from model to model
    for i, (model, label) in enumerate(zip(models, model_labels(models))):
        x, mean = middle + (i - (len(models) - 1) / 2) * step * width, model["smf_mean"]
        colour = COLOURS[i % len(COLOURS)]
        look = {"color": colour, "ls": "none", "marker": MARKERS[i % len(MARKERS)], "ms": 3.2, "mew": 0.7,
                "mfc": colour if i < len(COLOURS) else "white"}
        shown = mean > low
        top.errorbar(x[shown], mean[shown], model["smf_standard_deviation"][shown], elinewidth=0.8, label=label, **look)
        for at in x[~shown]:  # a mean that a logarithm cannot show, or far below every truth: an arrow at the axis
            top.annotate("", (at, 0), (at, 0.07), xycoords=top.get_xaxis_transform(),
                         arrowprops={"arrowstyle": "->", "color": colour, "lw": 0.8})
        bottom.plot(x, (mean - truth) / sigma, **look)
    top.set_yscale("log", nonpositive="clip")
    top.set_ylim(low, 2 * max((truth + spread).max(), max(model["smf_mean"].max() for model in models)))
    top.set_ylabel(rf"$\phi$  [{pretty(str(result['smf_unit']))}]")
    top.legend(**ABOVE, handlelength=1.6)
    bottom.set_ylabel(r"$(\phi - \phi_\mathrm{truth})\,/\,\sigma_\mathrm{loss}$")
    bottom.set_xlabel(r"$\log_{10}\, M_*$  [M$_\odot$]")
    bottom.set_xlim(edges[0] - 0.3 * width[0], edges[-1] + 0.3 * width[-1])
    bottom.margins(y=0.12)
    figure.align_ylabels()
    save(figure, arguments.out)


# ---- loss: Figure 5 ----------------------------------------------------------------------------------------------

def plot_loss(arguments):
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 3.4),
                                         gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08})
    rows = [read_metrics(run) for run in arguments.run]
    few = True  # does every learning rate change at a few steps only?
    for i, (train, validation) in enumerate(rows):
        colour = COLOURS[i % len(COLOURS)]
        epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
        # The mean over an epoch's steps belongs to its middle; validation comes at its end.
        top.plot(epochs - 0.5, np.add.reduceat(train[:, 2], first) / steps, color=colour, ls=(0, (2.5, 1)), lw=1)
        top.plot(validation[:, 0], validation[:, 2], color=colour, ms=3, mfc="white", mew=0.8,
                 marker=MARKERS[i % len(MARKERS)] if len(validation) <= 30 else None)
        x = train[:, 0] - 1 + (np.arange(len(train)) - np.repeat(first, steps)) / np.repeat(steps, steps)
        bottom.step(np.append(x, epochs[-1]), np.append(train[:, 3], train[-1, 3]), where="post", color=colour)
        changes = np.flatnonzero(np.diff(train[:, 3])) + 1
        few = few and len(changes) <= 10
        for at in x[changes] if len(changes) <= 10 else []:  # one that changes all the time shows below
            top.axvline(at, color=colour, ls=":", lw=0.8, zorder=0)
    blank = [plt.Line2D([], [], ls="none", label=" ")] * max(0, len(rows) - 2)  # the runs make the second column
    handles = [plt.Line2D([], [], color=GREY if len(rows) > 1 else COLOURS[0], ls=ls, label=label) for ls, label in
               [((0, (2.5, 1)), "training, mean over the epoch"), ("-", "validation")]] + blank
    for i, name in enumerate(last_parts(arguments.run) if len(rows) > 1 else []):
        handles.append(plt.Line2D([], [], color=COLOURS[i % len(COLOURS)], label=plain(name), ms=3, mfc="white",
                                  marker=MARKERS[i % len(MARKERS)] if len(rows[i][1]) <= 30 else None))
    if len(rows) == 1 and 0 < len(rows[0][1]) <= 30:
        handles[1].set(marker=MARKERS[0], markersize=3, markerfacecolor="white", markeredgewidth=0.8)
    top.legend(handles=handles, **ABOVE, ncol=2, columnspacing=1.2)
    chi2 = np.concatenate([table[:, 2] for pair in rows for table in pair])
    if (chi2[np.isfinite(chi2)] > 0).all():
        logarithmic(top)
    if few and all((train[:, 3] > 0).all() for train, _ in rows):
        logarithmic(bottom)
    top.set_ylabel(r"$\chi^2$, mean over sub-boxes")
    bottom.set_ylabel("learning\nrate")
    bottom.set_xlabel("epoch")
    bottom.set_xlim(left=0)
    bottom.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    bottom.margins(y=0.15)
    figure.align_ylabels()
    save(figure, arguments.out)


class PlainLog(ticker.LogFormatter):
    """200 and 0.003 instead of 2 x 10^2 and 3e-03."""

    def __call__(self, x, pos=None):
        return f"{x:g}" if super().__call__(x, pos) else ""


def logarithmic(ax):
    """A logarithmic y axis, numbered between the powers of ten as well where it spans few."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(PlainLog())
    ax.yaxis.set_minor_formatter(PlainLog(labelOnlyBase=False, minor_thresholds=(1.5, 0.6)))


# ---- slice: what the network sees --------------------------------------------------------------------------------

def mean_field(cells, vpeak, voxels):
    """Mean Vpeak per voxel [V, V, V], 0 where no halo stands, of halos in the voxels `cells` [n, 3]."""
    flat = np.ravel_multi_index(cells.T, (voxels,) * 3)
    count = np.bincount(flat, minlength=voxels**3)
    return (np.bincount(flat, vpeak, voxels**3) / np.maximum(count, 1)).reshape((voxels,) * 3)


def plot_slice(arguments):
    position, vpeak, cube, side, cubes, (length, speed) = read_catalog(arguments.data)
    per_side, path = round(side / arguments.subbox_size), arguments.data
    voxels, depth = arguments.voxels, arguments.depth
    require(per_side >= 1 and math.isclose(per_side * arguments.subbox_size, side, rel_tol=1e-9), path,
            f": box_size is {side:g} {length}: expected a --subbox-size that divides it, not {arguments.subbox_size:g}")
    require(depth <= voxels <= 512, f"--depth {depth}, --voxels {voxels}: expected depth <= voxels <= 512")
    require(arguments.box < cubes * per_side**3, path,
            f": --box is {arguments.box}: expected a sub-box from 0 to {cubes * per_side**3 - 1}")
    which, inside = divmod(arguments.box, per_side**3)  # the numbering of BoxSet::box
    corner = np.array(np.unravel_index(inside, (per_side,) * 3))
    kept = (cube == which) & (vpeak >= arguments.min_vpeak)
    position, vpeak = position[kept], vpeak[kept]
    cells = np.minimum((position * (per_side * voxels / side)).astype(int), per_side * voxels - 1) - corner * voxels
    in_box = ((cells >= 0) & (cells < voxels)).all(axis=1)
    first, voxel = (voxels - depth) // 2, side / per_side / voxels  # the slab lies in the middle, across z
    in_slab = (cells[:, 2] >= first) & (cells[:, 2] < first + depth)
    require((in_box & in_slab).any(), path, f": sub-box {arguments.box}: expected a halo with vpeak of at least "
            f"{arguments.min_vpeak:g} {speed} in the {depth} voxels in its middle, across z, but there is none")
    field = mean_field(cells[in_box], vpeak[in_box], voxels)[:, :, first:first + depth].max(axis=2)
    origin = corner * voxels * voxel

    wide = per_side > 1
    figure, axes = plt.subplots(1, 1 + wide, figsize=(FULL_PAGE if wide else HALF_PAGE, 3.1), squeeze=False,
                                gridspec_kw={"wspace": 0.25})
    for ax in axes[0]:
        ax.set(xlabel=f"x  [{plain(length)}]", ylabel=f"y  [{plain(length)}]", aspect="equal")
    if wide:
        draw_cube(axes[0, 0], position[in_slab], vpeak[in_slab], side)
        axes[0, 0].add_patch(plt.Rectangle(origin[:2], *[voxels * voxel] * 2, fill=False, ec=COLOURS[1], lw=1.5))
    image = draw_field(axes[0, -1], field, origin, voxel, position[in_box & in_slab])
    bar = figure.colorbar(image, cax=axes[0, -1].inset_axes([1.03, 0, 0.045, 1]))
    bar.set_label(rf"mean $V_\mathrm{{peak}}$ per voxel  [{plain(speed)}]; white: no halo")
    low, high = origin[2] + first * voxel, origin[2] + (first + depth) * voxel
    axes[0, -1].set_title(f"sub-box {arguments.box}, {low:g} \u2264 z < {high:g} {plain(length)}")
    save(figure, arguments.out)


def draw_cube(ax, position, vpeak, side):
    """All halos of the slab; an area proportional to vpeak^2 would hide small ones, so it has a lower bound."""
    order = np.argsort(vpeak)
    area = np.clip(0.4 * (vpeak[order] / 200)**2, 0.25, 6)
    ax.scatter(*position[order, :2].T, s=area, c="black", linewidths=0, rasterized=True)
    ax.set(xlim=(0, side), ylim=(0, side), title=r"halos of this slab; dots grow with $V_\mathrm{peak}$")


def draw_field(ax, field, origin, voxel, position):
    """The field [x, y], white where it is 0, and the halos that made it."""
    ends = [(origin[axis], origin[axis] + len(field) * voxel) for axis in (0, 1)]
    image = ax.imshow(np.ma.masked_equal(field, 0).T, origin="lower", cmap="viridis_r", interpolation="nearest",
                      extent=ends[0] + ends[1])
    if len(field) <= 50:
        x, y = (np.linspace(*end, len(field) + 1) for end in ends)
        ax.vlines(x, *ends[1], color="0.9", lw=0.3, zorder=1)
        ax.hlines(y, *ends[0], color="0.9", lw=0.3, zorder=1)
    ax.scatter(*position[:, :2].T, s=5, facecolors="white", edgecolors="black", linewidths=0.6, zorder=3)
    return image


# ---- predictions -------------------------------------------------------------------------------------------------

def plot_predictions(arguments):
    predicted, true, edges, unit, kind = read_predictions(arguments.predictions)
    figure, ax = plt.subplots(figsize=(HALF_PAGE, 3.1))
    largest = max(true.max(), predicted.max(), 0)
    one = true[true > 0].min() if (true > 0).any() else (largest or 1.0)  # one galaxy: below, the axes are linear
    colours = plt.get_cmap("viridis_r", true.shape[1])
    middle = np.broadcast_to((edges[1:] + edges[:-1]) / 2, true.shape)
    shuffled = np.random.default_rng(1).permutation(true.size)  # else the last bin hides the others
    look = {"cmap": colours, "vmin": edges[0], "vmax": edges[-1]}
    ax.scatter(true.flat[shuffled], predicted.flat[shuffled], c=middle.flat[shuffled], s=2.5, alpha=0.7, linewidths=0,
               rasterized=True, **look)
    mean = ax.scatter(true.mean(0), predicted.mean(0), c=middle[0], s=24, edgecolors="black", linewidths=0.8, **look)
    ends = (min(-0.4 * one, 1.2 * predicted.min()), 1.7 * max(largest, one))
    ax.plot(ends, ends, color="black", ls="--", lw=0.8)
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("symlog", linthresh=one, linscale=0.7)
        decades = 10.0 ** np.arange(math.ceil(math.log10(one)), math.floor(math.log10(ends[1])) + 1)
        below = -decades[-decades > ends[0]]
        axis.set_ticks(np.concatenate([below[::-1], [0], decades]))
        axis.set_ticks([k * d for d in [decades[0] / 10, *decades] for k in range(2, 10) if one <= k * d < ends[1]],
                       minor=True)
    ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel=rf"true $\phi$  [{pretty(unit)}]",
           ylabel=rf"predicted $\phi$  [{pretty(unit)}]")
    dot = {"ls": "none", "marker": "o"}
    dots = [plt.Line2D([], [], **dot, ms=1.8, mew=0, color=GREY, label=f"one of {len(true)} {kind} boxes"),
            plt.Line2D([], [], **dot, ms=4.8, mew=0.8, mec="black", mfc="white", label="mean of the boxes"),
            plt.Line2D([], [], ls="--", lw=0.8, color="black", label="predicted = true")]
    ax.legend(handles=dots, **ABOVE, ncol=2, columnspacing=1.2, handlelength=1.6)
    bar = figure.colorbar(mean, cax=ax.inset_axes([1.03, 0, 0.045, 1]))
    bar.set_label(r"bin of $\log_{10}\, M_*$  [M$_\odot$]")
    save(figure, arguments.out)


# ---- halos: Figure 2 of the paper ------------------------------------------------------------------------------------

SCATTER = 0.2  # dex, of stellar mass at fixed halo properties in UniverseMachine


def plot_halos(arguments):
    predicted, true, kind = read_halos(arguments.predictions)
    figure, ax = plt.subplots(figsize=(HALF_PAGE, 3.1))
    low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    ends = (low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
    image = ax.hexbin(true, predicted, gridsize=60, extent=ends * 2, bins="log", mincnt=1, cmap="viridis_r",
                      linewidths=0.1)
    ax.plot(ends, ends, color="black", lw=0.9, label="predicted = true")
    for i, shift in enumerate((-SCATTER, SCATTER)):
        ax.plot(ends, (ends[0] + shift, ends[1] + shift), color="black", ls="--", lw=0.8,
                label=rf"$\pm${SCATTER:g} dex" if i == 0 else None)
    edges = np.linspace(low, high, 13)
    which = np.clip(np.digitize(true, edges) - 1, 0, 11)
    full = [i for i in range(12) if (which == i).sum() >= 20]
    if full:
        middle = [np.median(true[which == i]) for i in full]
        quantiles = np.array([np.quantile(predicted[which == i], (0.16, 0.5, 0.84)) for i in full])
        ax.errorbar(middle, quantiles[:, 1], np.abs(quantiles[:, [0, 2]] - quantiles[:, [1]]).T, color=COLOURS[1],
                    ls="none", marker="o", ms=3, mfc="white", mew=0.8, elinewidth=0.8, label="median, 16 to 84 %")
    ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel=r"true $\log_{10}\, M_*$  [M$_\odot$]",
           ylabel=r"predicted $\log_{10}\, M_*$  [M$_\odot$]")
    ax.legend(**ABOVE, ncol=2, columnspacing=1.2, handlelength=1.6)
    rms = math.sqrt(np.mean((predicted - true)**2))
    ax.text(0.04, 0.96, f"{true.size} halos\n{kind}\nrms error {rms:.3f} dex", transform=ax.transAxes, va="top",
            fontsize=7)
    bar = figure.colorbar(image, cax=ax.inset_axes([1.03, 0, 0.045, 1]))
    bar.set_label("halos per cell")
    save(figure, arguments.out)


# ---- importance: Figure 3 of the paper -------------------------------------------------------------------------------

MEASURES = {"decrease_of_variance_normalised": "decrease of variance,\nlargest = 1",
            "unbiased_decrease": "decrease on unseen rows,\nper variance",
            "permutation": "error when permuted,\nper variance"}


def plot_importance(arguments):
    features, groups, measures = read_importance(arguments.importance)
    order = list(np.argsort(measures[0][1])) if len(features) > 1 else [0]
    names = [*groups, *[features[i] for i in order]]  # from below
    figure, axes = plt.subplots(1, len(measures), sharey=True, squeeze=False, gridspec_kw={"wspace": 0.08},
                                figsize=(HALF_PAGE if len(measures) == 1 else FULL_PAGE, 0.6 + 0.22 * len(names)))
    for i, (ax, (field, mean, error)) in enumerate(zip(axes[0], measures)):
        of_groups = mean.size > len(features)
        rows = [*(range(len(features), mean.size) if of_groups else []), *order]
        y = np.arange(len(rows)) + len(names) - len(rows)
        colours = [COLOURS[4] if row >= len(features) else COLOURS[i] for row in rows]
        ax.barh(y, mean[rows], xerr=error[rows], color=colours, height=0.7,
                error_kw={"elinewidth": 0.8, "capsize": 1.5, "capthick": 0.8})
        ax.axvline(0, color="black", lw=0.7)
        ax.set_xlabel(MEASURES[field])
        ax.margins(x=0.06)
    together = [f"{plain(name)} (together)" for name in groups]
    axes[0, 0].set_yticks(range(len(names)), together + [plain(name) for name in names[len(groups):]])
    axes[0, 0].set_ylim(-0.6, len(names) - 0.4)
    save(figure, arguments.out)


# ---- the command line --------------------------------------------------------------------------------------------

def number(kind, least, said):
    def parse(text):
        value = kind(text)
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"{said} was expected, not {text}")
        return value
    parse.__name__ = kind.__name__
    return parse


def command_line():
    look = {"add_help": False, "allow_abbrev": False}
    parser = argparse.ArgumentParser("plot.py", description="Figures from the files that umbra's tools write.", **look)
    parser.add_argument("--help", action="help", help="print this help and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, draw, text):
        sub = commands.add_parser(name, help=text, description=text, **look)
        sub.set_defaults(draw=draw)
        sub.add_argument("--help", action="help", help="print this help and exit")
        sub.add_argument("--out", required=True, help="OUT.png and OUT.pdf are written")
        return lambda flag, text, **more: sub.add_argument(
            flag, help=text + (f" (default {more['default']})" if "default" in more else ""), **more)

    add = command("smf", plot_smf, "mean stellar mass function of the validation boxes, every model against the "
                  "truth, with the scatter over boxes (an arrow: a mean below the logarithmic axis)")
    add("--evaluation", "JSON written by evaluate; densities in the unit it names", required=True)
    add = command("loss", plot_loss, "chi^2 of training and validation against the epoch, and the learning rate "
                  "(dotted: where it changes, if it does so in steps)")
    add("--run", "folders written by train, or their metrics.csv", required=True, nargs="+")
    add = command("slice", plot_slice, "the input of the network: mean Vpeak per voxel of one sub-box, in km/s")
    add("--data", "catalog (HDF5) written by import or mock", required=True)
    add("--box", "which sub-box, numbered as in predictions", type=number(int, 0, "0 or more"), default=0)
    positive, count = number(float, 1e-9, "a positive number"), number(int, 1, "1 or more")
    add("--subbox-size", "side of a sub-box, comoving Mpc/h; must divide the box", type=positive, default=25.0)
    add("--voxels", "voxels per side of a sub-box", type=count, default=25)
    add("--depth", "voxels across z, mid-box, of which the largest value is shown", type=count, default=5)
    add("--min-vpeak", "halos below do not enter, km/s", type=number(float, 0, "0 or more"), default=150.0)
    add = command("predictions", plot_predictions, "predicted against true number densities, validation boxes only")
    add("--predictions", "HDF5 written by predict from a catalog with stellar masses", required=True)
    add = command("halos", plot_halos, "predicted against true stellar masses of halos that a forest was not fitted on")
    add("--predictions", "HDF5 written by forest predict from a catalog with stellar masses", required=True)
    add = command("importance", plot_importance, "how much each column matters to a forest, with standard errors over "
                  "trees")
    add("--importance", "JSON written by forest importance", required=True)
    return parser


def main():
    arguments = command_line().parse_args()
    plt.rcParams.update(STYLE)
    for name, value in vars(arguments).items():
        INPUTS.update(os.path.realpath(path) for path in (value if isinstance(value, list) else [value])
                      if name != "out" and isinstance(path, str) and os.path.isfile(path))
    try:
        arguments.draw(arguments)
    except PlotError as problem:
        print(f"plot.py: {problem}", file=sys.stderr)
        return 1
    except MemoryError:
        print("plot.py: not enough memory for this figure", file=sys.stderr)
        return 1
    return 0


def run():
    """The exit status, once what was printed is out."""
    if sys.stdout is None:
        print("plot.py: standard output cannot be written: it is closed", file=sys.stderr)
        return 1
    try:
        status = main()
        sys.stdout.flush()
    except OSError as problem:  # of files they are PlotError
        print(f"plot.py: standard output cannot be written: {problem.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        return 1
    return status


if __name__ == "__main__":
    sys.exit(run())
