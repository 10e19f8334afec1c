"""Predicted against true stellar mass functions, every bin of every sub-box."""
import math

import matplotlib.pyplot as plt
import numpy as np
from figures.files import read_predictions, require
from figures.names import mass, per_dex
from figures.style import GREY, HALF_PAGE, legend_above, save


def symmetric_log(ax, one, ends):
    """Both axes logarithmic above `one`, linear below, with the powers of ten and 0 as ticks."""
    first = math.floor(math.log10(one))
    decades = 10.0 ** np.arange(first, math.floor(math.log10(ends[1])) + 1)
    decades = decades[decades >= one]
    between = [[k * 10.0 ** first for k in some if one <= k * 10.0 ** first <= ends[1]] for some in ((2, 5), (3, 7))]
    ticks = decades if len(decades) else np.array(between[0] or between[1])
    below = -ticks[-ticks > ends[0]]
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("symlog", linthresh=one, linscale=0.7)
        axis.set_ticks(np.concatenate([below[::-1], [0], ticks]))
        axis.set_ticks([k * d for d in [10.0 ** first, *decades] for k in range(2, 10)
                        if one <= k * d < ends[1]], minor=True)


def plot_predictions(arguments):
    file = read_predictions(arguments.predictions)
    kept, kind = np.ones(len(file.true), dtype=bool), "predicted"
    if file.validation is not None:
        kept, kind = file.validation, "validation"
        require(kept.any(), file.path, ": validation: at least one box marked 1 was expected")
    dex, unit = per_dex(file.unit, file.edges)
    predicted, true, edges = file.predicted[kept] / dex, file.true[kept] / dex, file.edges
    figure, ax = plt.subplots(figsize=(HALF_PAGE, 3.1))
    largest = max(true.max(), predicted.max(), 0)
    one = true[true > 0].min() if (true > 0).any() else (largest or 1.0)  # one galaxy: below it the axes are linear
    colours = plt.get_cmap("viridis_r", true.shape[1])
    middle = np.broadcast_to((edges[1:] + edges[:-1]) / 2, true.shape)
    shuffled = np.random.default_rng(1).permutation(true.size)  # otherwise the last bin hides the others
    look = {"cmap": colours, "vmin": edges[0], "vmax": edges[-1]}
    ax.scatter(true.flat[shuffled], predicted.flat[shuffled], c=middle.flat[shuffled], s=2.5, alpha=0.7, linewidths=0,
               rasterized=True, **look)
    mean = ax.scatter(true.mean(0), predicted.mean(0), c=middle[0], s=24, edgecolors="black", linewidths=0.8, **look)
    ends = (min(-0.4 * one, 1.2 * predicted.min()), 1.7 * max(largest, one))
    ax.plot(ends, ends, color="black", ls="--", lw=0.8)
    dot = {"ls": "none", "marker": "o"}
    handles = [plt.Line2D([], [], **dot, ms=1.8, mew=0, color=GREY, label=f"bins of {len(true)} {kind} boxes"),
               plt.Line2D([], [], **dot, ms=4.8, mew=0.8, mec="black", mfc="white", label="mean of the boxes"),
               plt.Line2D([], [], ls="--", lw=0.8, color="black", label="predicted = true")]
    if file.subbox_size and file.unit.endswith("per bin") and np.ptp(dex) < 1e-6:
        # phi of n galaxies is n times `galaxy`; around an exact prediction, n scatters by its square root.
        galaxy = 1 / (file.subbox_size**3 * dex[0])
        expected = np.geomspace(galaxy, ends[1], 400)
        for sign in (-1, 1):
            ax.plot(expected + sign * np.sqrt(expected * galaxy), expected, color="black", ls=":", lw=0.8)
        handles.append(plt.Line2D([], [], ls=":", lw=0.8, color="black", label=r"$\pm 1\sigma$ Poisson noise"))
    symmetric_log(ax, one, ends)
    ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel=rf"true $\phi$  [{unit}]",
           ylabel=rf"predicted $\phi$  [{unit}]")
    legend_above(ax, handles, columns=2, handlelength=1.6)
    bar = figure.colorbar(mean, cax=ax.inset_axes([1.03, 0, 0.045, 1]))
    bar.set_label("bin of " + mass(file.h))
    save(figure, arguments.out)
