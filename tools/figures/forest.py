"""The predictions of a forest for halos (the paper's Figure 2), and the importance of each column (Figure 3)."""
import math

import matplotlib.pyplot as plt
import numpy as np
from figures.evaluation import read_importance
from figures.files import read_halos
from figures.names import column, mass
from figures.style import ABOVE, COLOURS, FULL_PAGE, GREY, HALF_PAGE, save
from matplotlib import ticker
from matplotlib.colors import LogNorm

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
    ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel=mass(h, "true "), ylabel=mass(None, "predicted "))
    ax.legend(**ABOVE, ncol=2, columnspacing=1.2, handlelength=1.6)
    rms = math.sqrt(np.mean((predicted - true)**2))
    ax.text(0.04, 0.96, f"{true.size} halos\n{kind}\nrms error {rms:.3f} dex", transform=ax.transAxes, va="top",
            fontsize=7)
    bar = figure.colorbar(image, cax=ax.inset_axes([1.03, 0, 0.045, 1]),
                          ticks=None if many else ticker.MaxNLocator(integer=True, min_n_ticks=1))
    bar.set_label("halos per cell")
    save(figure, arguments.out)


MEASURES = {"decrease_of_variance_normalised": "decrease of variance,\nhalos that the trees saw\n(largest: 1)",
            "unbiased_decrease": "decrease of variance,\nhalos that the trees did not see\n"
                                 "(per variance of the target)",
            "permutation": "increase of the squared error\nwhen the column is permuted\n(per variance of the target)"}


def plot_importance(arguments):
    features, groups, measures = read_importance(arguments.importance)
    order = list(np.argsort(measures[0][1])) if len(features) > 1 else [0]
    names = [*groups, *[features[i] for i in order]]  # from bottom to top
    figure, axes = plt.subplots(1, len(measures), sharey=True, squeeze=False, gridspec_kw={"wspace": 0.08},
                                figsize=(HALF_PAGE if len(measures) == 1 else FULL_PAGE, 0.6 + 0.22 * len(names)))
    for i, (ax, (field, mean, error)) in enumerate(zip(axes[0], measures)):
        of_groups = mean.size > len(features)
        rows = [*(range(len(features), mean.size) if of_groups else []), *order]
        y = np.arange(len(rows)) + len(names) - len(rows)
        colours = [COLOURS[4] if row >= len(features) else COLOURS[i] for row in rows]
        ax.barh(y, mean[rows], xerr=error[rows], color=colours, height=0.7,
                error_kw={"elinewidth": 0.8, "capsize": 1.5, "capthick": 0.8})
        ends = mean[rows] + error[rows]
        for at, value, end in zip(y, mean[rows], np.maximum(ends, 0)):  # bars of a few per cent can hardly be read
            ax.annotate(f"{value:.3f}".replace("-0.000", "0.000"), (end, at), (3, 0), textcoords="offset points",
                        va="center", fontsize=6)
        low = min(0, (mean[rows] - error[rows]).min())
        ax.set_xlim(1.06 * low, max(1.28 * ends.max(), 1e-12))
        ax.axvline(0, color="black", lw=0.7)
        ax.set_xlabel(MEASURES[field])
    labels = [f"{column(name)}, together" for name in groups] + [column(name) for name in names[len(groups):]]
    axes[0, 0].set_yticks(range(len(names)), labels)
    axes[0, 0].set_ylim(-0.6, len(names) - 0.4)
    axes[0, 0].text(0.97, 0.03, "error bars: standard\nerror over trees", transform=axes[0, 0].transAxes, ha="right",
                    va="bottom", fontsize=6, color=GREY)
    for ax in axes[0]:
        ax.tick_params(axis="y", length=0)
    save(figure, arguments.out)
