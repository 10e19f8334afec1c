"""The picture of the README: a universe, one of its boxes as the network sees it, and the predicted mass function."""
from types import SimpleNamespace

import matplotlib.pyplot as plt
from figures.files import read_predictions, require, require_predictions_of
from figures.names import mass, per_dex
from figures.style import COLOURS, GREY, save
from figures.sub_box import cut_slab, draw_slab
from matplotlib import ticker

SUB_BOX = {"subbox_size": None, "voxels": 25, "depth": 5, "min_vpeak": 150.0}  # the defaults of train


def plot_front(arguments):
    file = read_predictions(arguments.predictions)
    require(file.validation is not None and file.validation.any(), file.path, ": validation: at least one box marked 1 "
            "was expected, as in predictions from the catalog that the run was trained on")
    require_predictions_of(arguments.data, arguments.predictions)
    edges, (dex, unit) = file.edges, per_dex(file.unit, file.edges)
    predicted, true = file.predicted[file.validation] / dex, file.true[file.validation] / dex
    shown = int(true.sum(axis=1).argmax())  # the validation box with the most galaxies
    size = file.subbox_size or SUB_BOX["subbox_size"]
    slab = cut_slab(SimpleNamespace(data=arguments.data, box=int(file.box[file.validation][shown]),
                                    **{**SUB_BOX, "subbox_size": size}))
    require(slab.many, arguments.data, ": expected a catalog of more than one sub-box")
    figure = plt.figure(figsize=(8.6, 2.4))
    grid = figure.add_gridspec(1, 5, wspace=0.1, width_ratios=[1, 0.17, 1, 0.56, 1])
    axes = [figure.add_subplot(grid[column]) for column in (0, 2, 4)]
    draw_slab(figure, axes[:2], slab).set_label(rf"mean $V_\mathrm{{peak}}$  [{slab.speed}]")
    axes[0].set_title(f"halos, {slab.low:g} \u2264 z < {slab.high:g} {slab.length}")
    axes[1].set_title("input: one box")
    ax, middle = axes[2], (edges[1:] + edges[:-1]) / 2
    ax.stairs(true.mean(axis=0), edges, color=GREY, ls="--", lw=1, label=f"mean of {len(true)} boxes")
    ax.stairs(true[shown], edges, color="black", lw=1, label="true, this box")
    ax.plot(middle, predicted[shown], color=COLOURS[1], ls="none", marker="o", ms=3.5, label="predicted, this box")
    ax.set_yscale("log")
    low = true[true > 0].min()  # one galaxy
    ax.set_box_aspect(1)
    ax.xaxis.set_major_locator(ticker.MaxNLocator(4))
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0.15 * low, 2 * max(true[shown].max(), predicted[shown].max())),
           xlabel=mass(file.h), ylabel=rf"$\phi$  [{unit}]")
    ax.set_title("output: its stellar mass function")
    ax.legend(loc="lower left", handlelength=1.6)
    plt.rcParams["savefig.dpi"] = 150
    save(figure, arguments.out, crop=True)
