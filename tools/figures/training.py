"""The metric and the learning rate of training runs, with their baselines (the paper's Figure 5)."""
import math
import os
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from figures.files import require
from figures.names import distinct, readable
from figures.runs import METRICS, folder_of, grouped, members, model_of, read_baselines, read_metrics
from figures.style import COLOURS, DASHES, GREY, HALF_PAGE, MARKERS, legend_above, logarithmic, save
from matplotlib import ticker

FEW = 10  # changes of the learning rate that are drawn one by one
TRAINING = (0, (2.5, 1))  # the dashes of training, where it shares its axes with validation
BASELINES = ["-.", (0, (1, 1.2)), (0, (8, 2)), (0, (3, 1, 1, 1))]


def plot_loss(arguments):
    runs = [member for run in arguments.run for member in members(run)]
    tables = {run: read_metrics(run) for run in runs}
    metric = tables[runs[0]][2]
    for run, (_, _, other) in tables.items():
        require(other == metric, f"{run}: its metric is {other}, but that of {runs[0]} is {metric}: expected runs of "
                "one task")
    groups = groups_of(tables, metric)
    alone = len(groups) == 1
    heights = [3, 1] if alone else [2, 2, 1]
    figure, axes = plt.subplots(len(heights), 1, sharex=True, figsize=(HALF_PAGE, 3.4 if alone else 4.8),
                                gridspec_kw={"height_ratios": heights, "hspace": 0.08})
    training, validation, bottom = axes[0], axes[-2], axes[-1]
    handles = draw_alone(training, groups[0]) if alone else draw_groups(training, validation, groups)
    if any(len(group.runs) > 1 for group in groups):
        handles.append(plt.Rectangle((0, 0), 1, 1, color=GREY, alpha=0.22, lw=0, label="range of the seeds"))
    handles += draw_baselines(validation, [group.baselines for group in groups])
    beyond = max(limit_metric(ax, [values for group in groups
                                   for values in curves(group.tables, ax is training, ax is validation)],
                              [value for group in groups for _, value in group.baselines if ax is validation])
                 for ax in axes[:-1])
    if beyond > 0:  # in the legend: everywhere in the axes there may be a curve
        digit, power = f"{beyond:.0e}".split("e")
        handles.append(plt.Line2D([], [], ls="none", marker=r"$\uparrow$", ms=5, mew=0, color=GREY,
                                  label=rf"beyond the axis: up to ${digit} \times 10^{{{int(power)}}}$"))
    training.set_ylabel(METRICS[metric] if alone else f"training:\n{METRICS[metric]}")
    if not alone:
        validation.set_ylabel(f"validation:\n{METRICS[metric]}")
    draw_rates(bottom, training, groups)
    figure.align_ylabels()
    legend_above(training, handles, columns=2)
    save(figure, arguments.out)


def groups_of(tables, metric):
    """Runs that differ in their seeds alone, with their look, their name and the baselines to be shown."""
    groups = [SimpleNamespace(runs=runs, tables=[tables[run] for run in runs], colour=COLOURS[i % len(COLOURS)],
                              dashes=DASHES[i % len(DASHES)], marker=MARKERS[i % len(MARKERS)],
                              baselines=shown(read_baselines(runs[0], metric)))
              for i, runs in enumerate(grouped(list(tables)))]
    models = [readable(model_of(group.runs[0])) for group in groups]
    if len(groups) > 1:
        models = distinct([model or "run" for model in models], [folder_of_seeds(group.runs) for group in groups])
    for group, name in zip(groups, models):
        seeds = f"{len(group.runs)} seeds" if len(group.runs) > 1 else ""
        group.name = ", ".join(part for part in (name, seeds) if part)
    return groups


def folder_of_seeds(runs):
    """The folder of a run, or of the ensemble that it belongs to; the file if the run is in this folder."""
    folder = os.path.normpath(folder_of(runs[0]) or runs[0])
    above = os.path.dirname(folder)
    return above if len(runs) > 1 and above and os.path.basename(folder).startswith("seed-") else folder


def shown(baselines):
    """Of the baselines the first, which is a constant, the best, and the Poisson noise."""
    noise = [one for one in baselines if one[0].startswith("Poisson noise")]
    models = [one for one in baselines if one not in noise]
    best = min(models, key=lambda one: one[1], default=None)
    return models[:1] + [one for one in models[1:] if one is best] + noise


def curves(tables, training, validation):
    """[(epochs, metric)] of every run; of training the mean over an epoch's steps, at its middle."""
    found = []
    for train, table, _ in tables:
        if training:
            epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
            found.append((epochs - 0.5, np.add.reduceat(train[:, 2], first) / steps))
        if validation:
            found.append((table[:, 0], table[:, 2]))
    return found


def draw_group(ax, group, runs, **look):
    """The mean over the seeds of a group and their range, as far as all are trained; beyond, every seed."""
    common = min(len(x) for x, _ in runs)
    for x, y in runs if len(runs) > 1 else []:
        ax.plot(x[max(0, common - 1):], y[max(0, common - 1):], color=group.colour, lw=0.5)
    if common:
        x, values = runs[0][0][:common], np.array([y[:common] for _, y in runs])
        if len(runs) > 1:
            ax.fill_between(x, values.min(0), values.max(0), color=group.colour, alpha=0.22, lw=0)
        ax.plot(x, values.mean(0), color=group.colour, **look)


def marker(group):
    """The marker of a group, at about 20 epochs or at each of fewer."""
    most = max(len(validation) for _, validation, _ in group.tables)
    return {"ms": 3, "mfc": "white", "mew": 0.8, "marker": group.marker, "markevery": max(1, most // 20)}


def draw_alone(ax, group):
    """Training and validation of one group in the same axes; returns the handles for the legend."""
    looks = {"training, mean of epoch": {"ls": TRAINING, "lw": 1}, "validation": marker(group)}
    for of_training, look in zip((True, False), looks.values()):
        draw_group(ax, group, curves(group.tables, of_training, not of_training), **look)
    return ([plt.Line2D([], [], ls="none", label=group.name)] if group.name else []) + [
        plt.Line2D([], [], color=group.colour, label=label, **look) for label, look in looks.items()]


def draw_groups(training, validation, groups):
    """Training and validation of several groups in axes of their own; returns the handles for the legend."""
    for group in groups:
        for ax in (training, validation):
            draw_group(ax, group, curves(group.tables, ax is training, ax is validation), ls=group.dashes,
                       **marker(group))
    return [plt.Line2D([], [], color=group.colour, ls=group.dashes, label=group.name, **marker(group))
            for group in groups]


def draw_rates(ax, above, groups):
    """The learning rate of every group, once if all have the same; dotted lines above at its steps."""
    schedules = [group.tables[0][0] for group in groups]
    same = all(np.array_equal(one[:, [0, 3]], schedules[0][:, [0, 3]]) for one in schedules)
    for group, train in list(zip(groups, schedules))[:1 if same else None]:
        look = {"color": "black" if same else group.colour}
        epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
        x = train[:, 0] - 1 + (np.arange(len(train)) - np.repeat(first, steps)) / np.repeat(steps, steps)
        ax.step(np.append(x, epochs[-1]), np.append(train[:, 3], train[-1, 3]), where="post",
                ls="-" if same else group.dashes, **look)
        changes = np.flatnonzero(np.diff(train[:, 3])) + 1
        for at in x[changes] if changes_in_steps(train[:, 3]) else []:
            above.axvline(at, ls=":", lw=0.8, zorder=0, **look)
    scale_rates(ax, [train[:, 3] for train in schedules])
    ax.set_ylabel("learning\nrate")
    ax.set_xlabel("epoch")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.margins(y=0.15)


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
        logarithmic(ax.yaxis)
        ax.yaxis.set_minor_locator(ticker.LogLocator(subs=(2, 5)))  # the axis is low
        ax.set_ylim(bottom=max(min(rate.min() for rate in rates) / 1.5, min(peaks) / 1000))


def draw_baselines(ax, baselines):
    """A line for every baseline, grey where all runs have it in common; returns the handles for the legend."""
    handles, first = [], next((of_run for of_run in baselines if of_run), [])
    if all(of_run in ([], first) for of_run in baselines):  # the same validation samples
        baselines = [first]
    for i, of_run in enumerate(baselines):
        colour = GREY if len(baselines) == 1 else COLOURS[i % len(COLOURS)]
        for j, (name, value) in enumerate(of_run):
            look = {"ls": BASELINES[j % len(BASELINES)], "lw": 0.9}
            ax.axhline(value, color=colour, zorder=1, **look)
            label = readable(name) + (f": {value:.3g}" if len(baselines) == 1 else "")
            if len(handles) < len(first):
                handles.append(plt.Line2D([], [], color=GREY, label=label, **look))
    return handles


def limit_metric(ax, lines, baselines):
    """A logarithmic axis, cut where the first epochs are far above everything that follows. `lines`: [(x, y)]. Returns
    the largest value if it is beyond the axis, otherwise 0."""
    values = np.concatenate([y for _, y in lines])
    values = np.append(values[np.isfinite(values)], baselines)
    if values.size == 0 or not (values > 0).all():
        return 0
    logarithmic(ax.yaxis)
    later = [np.nanmedian(y[len(y) // 2:]) for _, y in lines if np.isfinite(y[len(y) // 2:]).any()]
    limit = 10 * max([*later, *baselines], default=math.inf)
    if values.max() <= 10 * limit:
        return 0
    ax.set_ylim(values.min() / 1.4, limit)
    return values.max()
