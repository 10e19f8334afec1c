"""The predictions of a forest for halos (the paper's Figure 2), and the importance of each column (Figure 3)."""
import math

import matplotlib.pyplot as plt
import numpy as np
from figures.evaluation import read_importance
from figures.files import read_halos, require
from figures.names import column, mass
from figures.style import COLOURS, FULL_PAGE, HALF_PAGE, SMALLEST, PlainLog, legend_above, save
from matplotlib import ticker
from matplotlib.colors import LogNorm
from matplotlib.patheffects import withStroke

SCATTER = 0.2  # dex, of stellar mass at fixed halo properties in UniverseMachine


def plot_halos(arguments):
    predicted, true, kind, h = read_halos(arguments.predictions)
    figure, ax = plt.subplots(figsize=(HALF_PAGE, 3.1))
    low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    ends = (low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
    image = ax.hexbin(true, predicted, gridsize=60, extent=ends * 2, mincnt=1, cmap="viridis_r", linewidths=0.1)
    many = image.get_array().max() >= 10
    if many:
        image.set_norm(LogNorm(1, image.get_array().max()))
    look = {"color": "black", "path_effects": [withStroke(linewidth=2, foreground="white")]}
    ax.plot(ends, ends, lw=0.9, label="predicted = true", **look)
    for i, shift in enumerate((-SCATTER, SCATTER)):
        ax.plot(ends, (ends[0] + shift, ends[1] + shift), ls="--", lw=0.8, **look,
                label=rf"$\pm${SCATTER:g} dex" if i == 0 else None)
    edges = np.linspace(low, high, 13)
    which = np.clip(np.digitize(true, edges) - 1, 0, 11)
    full = [i for i in range(12) if (which == i).sum() >= 20]
    if full:
        middle = [np.median(true[which == i]) for i in full]
        quantiles = np.array([np.quantile(predicted[which == i], (0.16, 0.5, 0.84)) for i in full])
        bars = ax.errorbar(middle, quantiles[:, 1], np.abs(quantiles[:, [0, 2]] - quantiles[:, [1]]).T, ls="none",
                           color=COLOURS[1], marker="o", ms=3.5, mfc="white", mew=0.9, elinewidth=1.1, zorder=3,
                           label="median, 16 to 84 %")
        bars[2][0].set_path_effects(look["path_effects"])
    ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel=mass(h, "true "), ylabel=mass(None, "predicted "))
    legend_above(ax, ax.get_legend_handles_labels()[0], handlelength=1.6)
    rms = math.sqrt(np.mean((predicted - true)**2))
    ax.text(0.04, 0.96, f"{true.size} halos\n{kind}\nrms error {rms:.3f} dex", transform=ax.transAxes, va="top",
            fontsize=7)
    bar = figure.colorbar(image, cax=ax.inset_axes([1.03, 0, 0.045, 1]),
                          ticks=None if many else ticker.MaxNLocator(integer=True, min_n_ticks=1))
    bar.set_label("halos per cell")
    if many:
        bar.ax.yaxis.set_major_formatter(PlainLog())
    save(figure, arguments.out)


MEASURES = {"decrease_of_variance_normalised": "decrease of variance,\nhalos of the fit\n(largest: 1)",
            "unbiased_decrease": "decrease of variance,\nunseen halos\n(per total variance)",
            "permutation": "increase of squared error,\ncolumn permuted\n(per total variance)"}


def read_importances(paths):
    """What read_importance returns, of one forest or, of several, with the means over them and their scatter."""
    found = [read_importance(path) for path in paths]
    features, groups, measures = found[0]
    for path, (other, other_groups, of_other) in zip(paths, found):
        same = other == features and other_groups == groups and len(of_other) == len(measures)
        require(same and all(one[0] == its[0] for one, its in zip(of_other, measures)), path,
                ": the columns, groups and measures of ", paths[0], " were expected")
    if len(paths) > 1:
        means = [np.array([of_file[2][i][1] for of_file in found]) for i in range(len(measures))]
        measures = [(field, mean.mean(axis=0), mean.std(axis=0, ddof=1)) for (field, *_), mean in zip(measures, means)]
    return features, groups, measures


def plot_importance(arguments):
    features, groups, measures = read_importances(arguments.importance)
    order = list(np.argsort(measures[0][1])) if len(features) > 1 else [0]
    names = [*groups, *[features[i] for i in order]]  # from bottom to top
    figure, axes = plt.subplots(1, len(measures), sharey=True, squeeze=False, gridspec_kw={"wspace": 0.08},
                                figsize=(HALF_PAGE if len(measures) == 1 else FULL_PAGE, 0.8 + 0.2 * len(names)))
    for i, (ax, (field, mean, error)) in enumerate(zip(axes[0], measures)):
        rows = [*range(len(features), mean.size), *order]  # groups, if it was measured for them, are below
        draw_importance(ax, mean[rows], error[rows], np.arange(len(rows)) + len(names) - len(rows),
                        [COLOURS[4] if row >= len(features) else COLOURS[i] for row in rows])
        ax.set_xlabel(MEASURES[field])
    labels = [f"{column(name)}, together" for name in groups] + [column(name) for name in names[len(groups):]]
    axes[0, 0].set_yticks(range(len(names)), labels)
    axes[0, 0].set_ylim(-0.6, len(names) - 0.4)
    for ax in axes[0]:
        ax.tick_params(axis="y", length=0)
    forests = len(arguments.importance)
    legend_above(axes[0, 0], [plt.Line2D([], [], color="black", lw=0.8, marker="|", ms=4, markevery=[0, 1], label=(
        "standard error over trees" if forests == 1 else f"mean and standard deviation of {forests} forests"))])
    save(figure, arguments.out)


def draw_importance(ax, mean, error, y, colours):
    """Bars with errors and their numbers: bars of a few per cent can hardly be read."""
    ax.barh(y, mean, xerr=error, color=colours, height=0.7,
            error_kw={"elinewidth": 0.8, "capsize": 1.5, "capthick": 0.8})
    ends = np.maximum(mean + error, 0)
    for at, value, end in zip(y, mean, ends):
        number = f"{value:.3f}".replace("-0.000", "0.000").replace("-", "−")
        ax.annotate(number, (end, at), (3, 0), textcoords="offset points", va="center", fontsize=SMALLEST)
    low = min(0, (mean - error).min())
    ax.set_xlim(1.06 * low, max(1.4 * ends.max(), 1e-12))
    ax.axvline(0, color="black", lw=0.7)
    ax.xaxis.set_major_locator(ticker.MaxNLocator(4))
    ax.xaxis.set_major_formatter("{x:g}")  # 0 and 1 do not touch across two axes
