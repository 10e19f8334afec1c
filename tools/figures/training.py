"""The metric and the learning rate of training runs, with their baselines (the paper's Figure 5)."""
import math
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from figures.files import require
from figures.names import distinct, last_parts, readable
from figures.runs import METRICS, folder_of, members, model_of, read_baselines, read_metrics
from figures.style import ABOVE, COLOURS, GREY, HALF_PAGE, MARKERS, save
from matplotlib import ticker

FEW = 10  # changes of the learning rate that are drawn one by one
TRAINING = (0, (2.5, 1))
DASHES = [(0, (6, 2)), "-.", (0, (1, 1.2)), (0, (6, 1, 1, 1, 1, 1)), (0, (12, 3)), (0, (3, 1, 1, 1))]


def marker(i, validation):
    """The marker of a run's validation, or none if its epochs are many."""
    return {"ms": 3, "mfc": "white", "mew": 0.8, "marker": MARKERS[i % len(MARKERS)]} if len(validation) <= 30 else {}


def plot_loss(arguments):
    runs = [member for run in arguments.run for member in members(run)]
    rows = [read_metrics(run) for run in runs]
    metric = rows[0][2]
    for run, (_, _, other) in zip(runs, rows):
        require(other == metric, f"{run}: its metric is {other}, but that of {runs[0]} is {metric}: expected runs of "
                "one task")
    baselines = [read_baselines(run, metric) for run in runs]
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 3.4),
                                         gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08})
    draw_runs(top, bottom, rows)
    lines = draw_baselines(top, baselines)
    add_legend(top, runs, rows, lines)
    limit_metric(top, rows, [value for of_run in baselines for _, value in of_run])
    scale_rates(bottom, [train[:, 3] for train, _, _ in rows])
    top.set_ylabel(METRICS[metric])
    bottom.set_ylabel("learning\nrate")
    bottom.set_xlabel("epoch")
    bottom.set_xlim(left=0)
    bottom.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    bottom.margins(y=0.15)
    figure.align_ylabels()
    save(figure, arguments.out)


def draw_runs(top, bottom, rows):
    """The curves of every run."""
    for i, (train, validation, _) in enumerate(rows):
        colour = COLOURS[i % len(COLOURS)]
        epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
        # The mean over an epoch's steps is plotted at its middle, validation at its end.
        top.plot(epochs - 0.5, np.add.reduceat(train[:, 2], first) / steps, color=colour, ls=TRAINING, lw=1)
        top.plot(validation[:, 0], validation[:, 2], color=colour, **marker(i, validation))
        x = train[:, 0] - 1 + (np.arange(len(train)) - np.repeat(first, steps)) / np.repeat(steps, steps)
        bottom.step(np.append(x, epochs[-1]), np.append(train[:, 3], train[-1, 3]), where="post", color=colour)
        changes = np.flatnonzero(np.diff(train[:, 3])) + 1
        for at in x[changes] if changes_in_steps(train[:, 3]) else []:
            top.axvline(at, color=colour, ls=":", lw=0.8, zorder=0)


def changes_in_steps(rate):
    """Whether a learning rate changes a few times, with many training steps between."""
    changes = np.count_nonzero(np.diff(rate))
    return changes <= FEW and 4 * changes <= len(rate)


def scale_rates(ax, rates):
    """A logarithmic axis for rates that change in steps or differ much between runs, down to 1/1000 of the smallest
    maximum: a cosine ends near 0."""
    peaks = [rate.max() for rate in rates]
    steps = all(changes_in_steps(rate) for rate in rates)
    if min(rate.min() for rate in rates) > 0 and (steps or max(peaks) > 10 * min(peaks)):
        logarithmic(ax)
        ax.set_ylim(bottom=max(min(rate.min() for rate in rates) / 1.5, min(peaks) / 1000))


def draw_baselines(ax, baselines):
    """A line for every baseline, grey where all runs have it in common; returns the handles for the legend."""
    handles, first = [], next((of_run for of_run in baselines if of_run), [])
    if all(of_run in ([], first) for of_run in baselines):  # the same validation samples
        baselines = [first]
    for i, of_run in enumerate(baselines):
        colour = "0.25" if len(baselines) == 1 else COLOURS[i % len(COLOURS)]
        for (name, value), dashes in zip(of_run, cycle(DASHES)):
            ax.axhline(value, color=colour, ls=dashes, lw=0.9, zorder=1)
            label = readable(name) + (f": {value:.3g}" if len(baselines) == 1 else "")
            if len(handles) < len(first):
                handles.append(plt.Line2D([], [], color="0.25", ls=dashes, lw=0.9, label=label))
    return handles


def add_legend(ax, runs, rows, lines):
    """Left column: the curves and the baselines; right column: the runs. Above: the model if all have the same."""
    alone, models = len(rows) == 1, [readable(model_of(run)) for run in runs]
    same, folders = len(set(models)) == 1, [folder_of(run) or run for run in runs]
    names = last_parts(folders) if same else distinct([model or "run" for model in models], folders)
    left = [plt.Line2D([], [], color=COLOURS[0] if alone else GREY, ls=TRAINING, lw=1, label="training, mean of epoch"),
            plt.Line2D([], [], color=COLOURS[0] if alone else GREY, label="validation",
                       **(marker(0, rows[0][1]) if alone and len(rows[0][1]) else {}))]
    right = [plt.Line2D([], [], color=COLOURS[i % len(COLOURS)], label=name, **marker(i, rows[i][1]))
             for i, name in enumerate(names if not alone else [])]
    columns = [left + lines, right] if right else [left, lines]
    rows_of_legend = max(len(column) for column in columns)
    blank = [plt.Line2D([], [], ls="none", label=" ")]
    handles = [handle for column in columns if column for handle in column + blank * (rows_of_legend - len(column))]
    ax.legend(handles=handles, **{**ABOVE, "bbox_to_anchor": (-0.16, 1.0)}, ncol=2, columnspacing=1.2, handlelength=2.2,
              title=models[0] or None if same else None, title_fontsize=7, alignment="left")


def limit_metric(ax, rows, baselines):
    """A logarithmic axis, cut where the first epochs are far above everything that follows."""
    values = np.concatenate([table[:, 2] for train, validation, _ in rows for table in (train, validation)])
    values = np.append(values[np.isfinite(values)], baselines)
    if not (values > 0).all():
        return
    logarithmic(ax)
    later = [np.nanmedian(table[len(table) // 2:, 2]) for train, validation, _ in rows for table in (train, validation)
             if np.isfinite(table[len(table) // 2:, 2]).any()]
    limit = 10 * max([*later, *baselines], default=math.inf)
    if values.max() > 10 * limit:
        ax.set_ylim(values.min() / 1.4, limit)
        digit, power = f"{values.max():.0e}".split("e")
        ax.text(0.5, 0.97, rf"first epochs: up to ${digit} \times 10^{{{int(power)}}}$", transform=ax.transAxes,
                ha="center", va="top", fontsize=7, color=GREY)


class PlainLog(ticker.LogFormatter):
    """200 and 0.003 instead of 2 x 10^2 and 3e-03."""

    def __call__(self, x, pos=None):
        return f"{x:g}" if super().__call__(x, pos) else ""


def logarithmic(ax):
    """A logarithmic y axis, also labelled between the powers of ten if it spans few of them."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(PlainLog())
    ax.yaxis.set_minor_formatter(PlainLog(labelOnlyBase=False, minor_thresholds=(1.5, 0.6)))
