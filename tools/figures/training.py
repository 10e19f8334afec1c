"""chi^2 and the learning rate of training runs (the paper's Figure 5)."""
import matplotlib.pyplot as plt
import numpy as np
from figures.files import read_metrics
from figures.style import ABOVE, COLOURS, GREY, HALF_PAGE, MARKERS, last_parts, plain, save
from matplotlib import ticker


def plot_loss(arguments):
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(HALF_PAGE, 3.4),
                                         gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08})
    rows = [read_metrics(run) for run in arguments.run]
    few = True  # does every learning rate change at a few steps only?
    for i, (train, validation) in enumerate(rows):
        colour = COLOURS[i % len(COLOURS)]
        epochs, first, steps = np.unique(train[:, 0], return_index=True, return_counts=True)
        # The mean over an epoch's steps is plotted at its middle, validation at its end.
        top.plot(epochs - 0.5, np.add.reduceat(train[:, 2], first) / steps, color=colour, ls=(0, (2.5, 1)), lw=1)
        top.plot(validation[:, 0], validation[:, 2], color=colour, ms=3, mfc="white", mew=0.8,
                 marker=MARKERS[i % len(MARKERS)] if len(validation) <= 30 else None)
        x = train[:, 0] - 1 + (np.arange(len(train)) - np.repeat(first, steps)) / np.repeat(steps, steps)
        bottom.step(np.append(x, epochs[-1]), np.append(train[:, 3], train[-1, 3]), where="post", color=colour)
        changes = np.flatnonzero(np.diff(train[:, 3])) + 1
        few = few and len(changes) <= 10
        for at in x[changes] if len(changes) <= 10 else []:  # not if it changes at every step
            top.axvline(at, color=colour, ls=":", lw=0.8, zorder=0)
    blank = [plt.Line2D([], [], ls="none", label=" ")] * max(0, len(rows) - 2)  # the runs are the second column
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
    """A logarithmic y axis, also labelled between the powers of ten if it spans few of them."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(PlainLog())
    ax.yaxis.set_minor_formatter(PlainLog(labelOnlyBase=False, minor_thresholds=(1.5, 0.6)))
