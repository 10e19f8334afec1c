"""Stellar mass functions of sub-boxes: their means and residuals (the paper's Figure 6)."""
import math

import matplotlib.pyplot as plt
import numpy as np
from figures.evaluation import read_evaluation, read_observed
from figures.files import require
from figures.models import chosen, join_forests, model_names, seed_count
from figures.names import DENSITY, mass, per_dex, plain, readable, with_error
from figures.style import COLOURS, FULL_PAGE, GREY, HALF_PAGE, MARKERS, legend_above, save

FEW = 3  # models that fit into one column of a journal
SEED = {"ls": "none", "marker": "_", "ms": 3.5, "mew": 0.6, "color": GREY}


def model_labels(models, names=None):
    """Readable names, or `names`, with the number of seeds, chi^2 and its standard error."""
    names = [readable(name) for name in names] if names else model_names(models)
    for i, model in enumerate(models):
        names[i] += f", mean of {seed_count(model)} seeds" if seed_count(model) else ""
        chi2 = model["chi2"] if isinstance(model.get("chi2"), dict) else {}
        mean, error = chi2.get("mean"), chi2.get("standard_error")
        if isinstance(mean, (int, float)) and isinstance(error, (int, float)):
            names[i] += rf": $\chi^2$ = {with_error(mean, error)}"
    return names


def looks(count):
    """Colour, marker and place within a bin, in units of its width, of each of `count` models."""
    step = min(0.16, 0.8 / count)
    for i in range(count):
        colour = COLOURS[i % len(COLOURS)]
        yield (i - (count - 1) / 2) * step, {
            "color": colour, "ls": "none", "marker": MARKERS[i % len(MARKERS)], "ms": 3, "mew": 0.7,
            "mfc": colour if i < len(COLOURS) else "white"}


def plot_smf(arguments):
    edges, (sigma, truth, spread), result = read_evaluation(arguments.evaluation)
    observed = read_observed(arguments.evaluation, result)
    models = result["models"] = chosen(join_forests(result["models"]), arguments.models, arguments.evaluation)
    require(arguments.names is None or len(arguments.names) == len(models), arguments.evaluation,
            ": --names: a name for each of these models was expected: ", "; ".join(model["name"] for model in models))
    result["labels"] = model_labels(models, arguments.names)
    width = HALF_PAGE if len(result["models"]) <= FEW else FULL_PAGE
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(width, 4.4),
                                         gridspec_kw={"height_ratios": [1.5, 1], "hspace": 0.06})
    handles, labels = draw_densities(top, edges, truth, spread, observed, result)
    of_residuals = draw_residuals(bottom, edges, truth, sigma, result)
    height = 0.0
    if of_residuals:  # short: in a row of their own below the models
        bars = legend_above(top, of_residuals, columns=4)
        top.add_artist(bars)
        height = bars.get_window_extent(figure.canvas.get_renderer()).height / figure.dpi
    legend_above(top, handles, labels, columns=3, title_height=height)
    bottom.set_xlabel(mass(result.get("h")))
    width = np.diff(edges)
    bottom.set_xlim(edges[0] - 0.3 * width[0], edges[-1] + 0.3 * width[-1])
    figure.align_ylabels()
    save(figure, arguments.out)


def draw_densities(ax, edges, truth, spread, observed, result):
    """phi per dex: the truth with its scatter over boxes, the observed points and the mean of every model. Returns the
    handles and labels of the legend."""
    models, middle, width = result["models"], (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    dex, unit = per_dex(str(result["smf_unit"]), edges)
    truth, spread = truth / dex, spread / dex
    low = truth[truth > 0].min() / 6  # the lower end of the logarithmic axis
    if unit != DENSITY:
        observed = None  # not comparable
    if observed is not None:
        low = min(low, 0.5 * observed.phi.min())
    band = [np.append(values, values[-1]) for values in (np.maximum(truth - spread, low / 9), truth + spread)]
    shade = ax.fill_between(edges, *band, step="post", color="0.88", lw=0)
    ax.stairs(np.maximum(truth, low / 9), edges, baseline=None, color=GREY, ls="--", lw=1.2)
    handles = [(shade, plt.Line2D([], [], color=GREY, ls="--", lw=1.2))]
    labels = [rf"truth: mean, $\pm 1\sigma$ scatter over {result.get('validation_boxes', 'the')} boxes"]
    if observed is not None:
        handles.append(ax.errorbar(observed.log_mass, observed.phi, observed.errors, color="black", ls="none",
                                   marker="o", ms=4.2, mfc="none", mew=0.7, elinewidth=0.7, zorder=4))
        labels.append(f"observed: {plain(observed.reference)}, $\\pm 1\\sigma$")
    for (shift, look), model, label in zip(looks(len(models)), models, result["labels"]):
        x, mean = middle + shift * width, model["smf_mean"] / dex
        shown = mean > low
        scatter = (model["smf_standard_deviation"] / dex)[shown]
        ax.vlines(x[shown], np.maximum(low / 9, mean[shown] - scatter), mean[shown] + scatter, color=look["color"],
                  lw=0.5)
        handles += ax.plot(x[shown], mean[shown], **look)
        labels.append(label)
        for at in x[~shown]:  # a mean of 0 or less, or far below every true value: an arrow at the axis
            ax.annotate("", (at, 0), (at, 0.07), xycoords=ax.get_xaxis_transform(),
                        arrowprops={"arrowstyle": "->", "color": look["color"], "lw": 0.8})
    highest = [(truth + spread).max(), *[(model["smf_mean"] / dex).max() for model in models]]
    highest = [value for value in highest if value <= 30 * highest[0]]  # without models that diverged
    ax.set_yscale("log", nonpositive="clip")
    ax.set_ylim(low, 2 * max(highest + ([observed.phi.max()] if observed is not None else [])))
    ax.set_ylabel(rf"$\phi$  [{unit}]")
    return handles, labels


def draw_residuals(ax, edges, truth, sigma, result):
    """Predicted minus true phi per box, in units of the loss' sigma: mean, standard error and scatter over boxes. The
    squares of means and scatters add up to chi^2 over the bins, and those of the Poisson noise to poisson_chi2. Returns
    the handles of the legend."""
    models, middle, width = result["models"], (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    boxes, bars = result.get("validation_boxes"), []
    ax.axhline(0, color=GREY, ls="--", lw=1.2)
    for (shift, look), model in zip(looks(len(models)), models):
        x, mean = middle + shift * width, (model["smf_mean"] - truth) / sigma
        scatter = model.get("residual_standard_deviation")
        if scatter is not None:
            bars.append(("scatter over boxes", {"lw": 0.6}))
            ax.vlines(x, mean - scatter / sigma, mean + scatter / sigma, color=look["color"], lw=0.6)
            if isinstance(boxes, int) and boxes > 0:
                bars.append(("standard error", {"lw": 1.8}))
                error = scatter / sigma / math.sqrt(boxes)
                ax.vlines(x, mean - error, mean + error, color=look["color"], lw=1.8)
        for of_seed in model.get("means_of_seeds", []):
            bars.append(("mean of each seed", SEED))
            ax.plot(x, (of_seed - truth) / sigma, **{**SEED, "color": look["color"]})
        ax.plot(x, mean, **{**look, "ms": 2.4})
    handles = [plt.Line2D([], [], **{"color": GREY, **look, "label": label}) for label, look in dict(bars).items()]
    if "subbox_size_mpc_per_h" in result:
        # phi = N / (V w) has the variance <N> / (V w)^2 = <phi> / (V w), with w = 1 for densities per bin.
        per_galaxy = result["subbox_size_mpc_per_h"]**3 * (1 if str(result["smf_unit"]).endswith("per bin") else width)
        noise = np.sqrt(np.maximum(truth, 0) / per_galaxy) / sigma
        for sign in (-1, 1):
            ax.stairs(sign * noise, edges, baseline=None, color="black", ls=":", lw=0.9)
        handles.append(plt.Line2D([], [], color="black", ls=":", lw=0.9, label=r"$\pm 1\sigma$ Poisson noise"))
    ax.set_ylabel(r"$(\phi_\mathrm{pred} - \phi_\mathrm{true})\,/\,\sigma_\mathrm{loss}$")
    ax.margins(y=0.08)
    limit_residuals(ax, models, truth, sigma)
    return handles


def limit_residuals(ax, models, truth, sigma):
    """Limits that show the bars of all models except those that predict the same for every box or have diverged, whose
    bars are cut."""
    ends = [np.max(np.abs(model["smf_mean"] - truth) / sigma + model.get("residual_standard_deviation", 0) / sigma)
            for model in models if (model["smf_standard_deviation"] > 1e-9 * np.abs(model["smf_mean"])).any()]
    limit = 1.4 * max([end for end in ends if end <= 30 * np.median(ends)], default=0)
    if limit > 0:
        ax.set_ylim(-limit, limit)
