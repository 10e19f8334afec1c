"""Mass functions of single validation boxes, true and predicted."""
import matplotlib.pyplot as plt
import numpy as np
from figures.files import read_predictions, require
from figures.mass_functions import looks
from figures.names import distinct, mass, per_dex, readable
from figures.runs import model_of
from figures.style import FULL_PAGE, GREY, HALF_PAGE, legend_above, save
from matplotlib import ticker

QUANTILES = (0.1, 0.5, 0.9)  # of the number of galaxies: the boxes that are shown if none are named
MOST = 4  # panels that fit into a page


def plot_boxes(arguments):
    files = [read_predictions(path) for path in arguments.predictions]
    first = files[0]
    require(first.sigma is not None, first.path, ": the attribute sigma is missing: expected the file that predict "
            "writes")
    for file in files[1:]:
        require(np.array_equal(file.box, first.box) and np.array_equal(file.true, first.true), file.path,
                ": predictions of the same boxes as in ", first.path, " were expected")
    rows = chosen_rows(first, arguments.box)
    figure, axes = plt.subplots(2, len(rows), sharex=True, sharey="row", squeeze=False,
                                figsize=(HALF_PAGE if len(rows) == 1 else FULL_PAGE, 3.6),
                                gridspec_kw={"wspace": 0.05, "hspace": 0.06, "height_ratios": [1.6, 1]})
    handles = []
    for (top, bottom), row in zip(axes.T, rows):
        handles = draw_box(top, files, row)  # the same in all
        draw_residuals(bottom, files, row)
        top.set_title(f"sub-box {first.box[row]}", pad=3)
        bottom.set_xlabel(mass(first.h))
        bottom.xaxis.set_major_locator(ticker.MaxNLocator(4 if len(rows) > 1 else 7))
    dex = per_dex(first.unit, first.edges)[0]
    highest = max((file.predicted[rows] / dex).max() for file in files)
    true = first.true[rows] / dex
    highest = max(highest, (true + np.sqrt(true * galaxy_of(first) / dex)).max())
    axes[0, 0].set_ylim(0.3 * (galaxy_of(first) / dex).min(), 2 * highest)
    axes[0, 0].set_ylabel(rf"$\phi$  [{per_dex(first.unit, first.edges)[1]}]")
    axes[1, 0].set_ylabel(r"$(\phi_\mathrm{pred} - \phi_\mathrm{true})\,/\,\sigma_\mathrm{loss}$")
    figure.align_ylabels()
    legend_above(axes[0, 0], handles, title_height=0.16)
    save(figure, arguments.out)


def chosen_rows(file, boxes):
    """The rows of the boxes; without any, of validation boxes with few, usual and many galaxies."""
    if boxes:
        require(len(boxes) <= MOST, f"--box: at most {MOST} boxes fit into a figure, {len(boxes)} were named")
        for box in boxes:
            require(box in file.box, file.path, f": --box {box}: the file has no such sub-box")
        return [int(np.flatnonzero(file.box == box)[0]) for box in boxes]
    rows = np.flatnonzero(file.validation if file.validation is not None else np.ones(len(file.box)))
    require(rows.size > 0, file.path, ": validation: at least one box marked 1 was expected")
    rows = rows[np.argsort(file.true[rows].sum(axis=1), kind="stable")]
    return list(dict.fromkeys(int(rows[round(q * (len(rows) - 1))]) for q in QUANTILES))


def galaxy_of(file):
    """The density of one galaxy, [bins] in the file's unit: of the smallest true density if the size is not known."""
    if file.subbox_size:
        width = 1 if file.unit.endswith("per bin") else np.diff(file.edges)
        return np.full(len(file.edges) - 1, 1 / file.subbox_size**3) / width
    positive = file.true[file.true > 0]
    return np.full(len(file.edges) - 1, positive.min() if positive.size else 1.0)


def file_names(files):
    """The model of each file's run if its folder is found, otherwise the folder; the file where names are equal."""
    names = [readable(model_of(file.run) or file.run or "predicted") for file in files]
    return distinct(names, [file.path for file in files])


def draw_box(ax, files, row):
    """phi of one box per dex: the truth with the Poisson noise of its counts, and the predictions with the scatter of
    their seeds. Returns the handles of the legend."""
    first = files[0]
    dex, _ = per_dex(first.unit, first.edges)
    galaxy, middle, width = galaxy_of(first) / dex, (first.edges[1:] + first.edges[:-1]) / 2, np.diff(first.edges)
    true, low = first.true[row] / dex, 0.3 * galaxy.min()
    noise = np.sqrt(true * galaxy)
    band = [np.append(values, values[-1]) for values in (np.maximum(true - noise, low / 9), true + noise)]
    shade = ax.fill_between(first.edges, *band, step="post", color="0.88", lw=0, label=r"$\pm 1\sigma$ Poisson noise")
    ax.stairs(np.maximum(true, low / 9), first.edges, baseline=None, color="black", lw=1)
    handles = [plt.Line2D([], [], color="black", lw=1, label="truth"), shade]
    for (shift, look), file, name in zip(looks(len(files)), files, file_names(files)):
        x, predicted = middle + shift * width, file.predicted[row] / dex
        shown = predicted > low
        if file.scatter is not None:
            scatter = file.scatter[row] / dex
            ax.vlines(x[shown], np.maximum(predicted - scatter, low / 9)[shown], (predicted + scatter)[shown],
                      color=look["color"], lw=0.8)
            name += r", $\pm 1\sigma$ of its seeds"
        handles += ax.plot(x[shown], predicted[shown], **look, label=name)
        for at in x[~shown]:
            ax.annotate("", (at, 0), (at, 0.07), xycoords=ax.get_xaxis_transform(),
                        arrowprops={"arrowstyle": "->", "color": look["color"], "lw": 0.8})
    ax.set_yscale("log", nonpositive="clip")
    ax.set_xlim(first.edges[0], first.edges[-1])
    return handles


def draw_residuals(ax, files, row):
    """Predicted minus true phi of one box, in units of the loss' sigma; dotted: the Poisson noise of its counts."""
    first = files[0]
    middle, width = (first.edges[1:] + first.edges[:-1]) / 2, np.diff(first.edges)
    noise = np.sqrt(first.true[row] * galaxy_of(first)) / first.sigma
    ax.axhline(0, color=GREY, ls="--", lw=1)
    for sign in (-1, 1):
        ax.stairs(sign * noise, first.edges, baseline=None, color="black", ls=":", lw=0.9)
    for (shift, look), file in zip(looks(len(files)), files):
        ax.plot(middle + shift * width, (file.predicted[row] - first.true[row]) / first.sigma, **look)
    ax.margins(y=0.1)
