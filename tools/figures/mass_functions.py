"""Stellar mass functions of sub-boxes: their means (the paper's Figure 6), and predicted against true."""
import math

import matplotlib.pyplot as plt
import numpy as np
from figures.files import read_evaluation, read_predictions
from figures.style import ABOVE, COLOURS, GREY, HALF_PAGE, MARKERS, last_parts, plain, pretty, save


def model_labels(models):
    """Names (of a run, the last part of its path), with chi^2 and its standard error if the file has them."""
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
    low = truth[truth > 0].min() / 6  # the lower end of the logarithmic axis
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 4.0),
                                         gridspec_kw={"height_ratios": [2.4, 1], "hspace": 0.06})
    band = [np.append(values, values[-1]) for values in (np.maximum(truth - spread, low / 9), truth + spread)]
    top.fill_between(edges, *band, step="post", color="0.88", lw=0,
                     label=rf"truth, $\pm1\sigma$ scatter over {result.get('validation_boxes', 'the')} boxes")
    top.stairs(np.maximum(truth, low / 9), edges, baseline=None, color=GREY, ls="--", lw=1.2, label="truth, mean")
    bottom.axhline(0, color=GREY, ls="--", lw=1.2)
    step = min(0.2, 0.76 / len(models))  # offset between models, in units of a bin's width
    for i, (model, label) in enumerate(zip(models, model_labels(models))):
        x, mean = middle + (i - (len(models) - 1) / 2) * step * width, model["smf_mean"]
        colour = COLOURS[i % len(COLOURS)]
        look = {"color": colour, "ls": "none", "marker": MARKERS[i % len(MARKERS)], "ms": 3.2, "mew": 0.7,
                "mfc": colour if i < len(COLOURS) else "white"}
        shown = mean > low
        top.errorbar(x[shown], mean[shown], model["smf_standard_deviation"][shown], elinewidth=0.8, label=label, **look)
        for at in x[~shown]:  # a mean of 0 or less, or far below every true value: an arrow at the axis
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


def plot_predictions(arguments):
    predicted, true, edges, unit, kind = read_predictions(arguments.predictions)
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
