"""The appearance of all figures, and saving them."""
import os
import re
import shutil
import textwrap

from figures.files import PlotError, require
from matplotlib import ticker
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox, blended_transform_factory

# Okabe & Ito (2008): distinguishable with every kind of colour vision. Markers and dashes differ too, for printing in
# grey. Black is kept for truth and observations.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["^", "o", "s", "D", "v", "P", "X", "<", ">"]
DASHES = ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.2, 1, 1.2)), (0, (2.5, 1.2)), (0, (6, 1.2, 1, 1.2, 1, 1.2))]
GREY = "0.4"
MM = 1 / 25.4  # inches
HALF_PAGE, FULL_PAGE = 84 * MM, 174 * MM  # one and two columns of a journal
MARGIN = 0.03  # around everything, inches
SMALLEST = 7  # points, the smallest text of a figure
STYLE = {"font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
         "legend.fontsize": 7, "legend.frameon": False, "legend.labelspacing": 0.3, "legend.borderpad": 0.1,
         "legend.borderaxespad": 0.4, "axes.linewidth": 0.7, "lines.linewidth": 1.2, "xtick.direction": "in",
         "ytick.direction": "in", "xtick.top": True, "ytick.right": True, "pdf.fonttype": 42, "savefig.dpi": 300,
         # The layout is measured with the pixels that are saved: text is a whole number of them high, and legends of
         # many lines would be lower in the file than what was measured at 100 dpi.
         "figure.dpi": 300}

INPUTS = set()  # files that this command reads
OUTPUT = {"overwrite": False}  # whether an existing figure may be replaced


def legend_above(ax, handles, labels=None, columns=4, title_height=0.0, **more):
    """A legend above `ax`, where it covers no data, from the left end of the figure, with as many columns as fit into
    its width, up to `columns`. Labels longer than the figure is wide are broken. `title_height` of the axes: inches."""
    figure = ax.figure
    labels = [handle.get_label() for handle in handles] if labels is None else labels
    anchor = (MARGIN / figure.get_figwidth(), 1 + title_height / (ax.get_position().height * figure.get_figheight()))
    place = {"loc": "lower left", "bbox_to_anchor": anchor, "handlelength": 2.0, "columnspacing": 1.2,
             "bbox_transform": blended_transform_factory(figure.transFigure, ax.transAxes), **more}
    pad = STYLE["legend.borderaxespad"] * STYLE["legend.fontsize"] / 72  # inches, between the anchor and the legend
    room = (figure.get_figwidth() - 2 * MARGIN - pad) * figure.dpi
    characters = int((figure.get_figwidth() - 0.5) * 72 / (0.6 * SMALLEST))  # of a line, 0.6 of its height wide
    labels = [broken(label, characters) for label in labels]
    for count in range(min(columns, len(handles)), 0, -1):
        legend = ax.legend(handles, labels, ncol=count, **place)
        if legend.get_window_extent(figure.canvas.get_renderer()).width <= room:
            break
    return legend


def broken(label, characters):
    """`label` in lines of so many characters, broken between words, but not within mathematics."""
    formulas = []
    label = re.sub(r"(\d) (seeds|epochs)", "\\1\u00a0\\2", label)  # "3 seeds" stay together

    def hide(formula):
        formulas.append(formula[0])
        return chr(0xE000 + len(formulas) - 1) * max(1, len(formula[0]) // 2)  # private use: in no label
    lines = "\n".join(textwrap.wrap(re.sub(r"(?<!\\)\$.*?(?<!\\)\$", hide, label), characters)) or label
    return re.sub("([\ue000-\uf8ff])\\1*", lambda hidden: formulas[ord(hidden[1]) - 0xE000], lines)


class PlainLog(ticker.LogFormatter):
    """200 and 0.003 instead of 2 x 10^2 and 3 x 10^-3."""

    def __call__(self, x, pos=None):
        if not super().__call__(x, pos):
            return ""
        digit, power = f"{x:.0e}".split("e")
        times = "" if digit == "1" else rf"{digit} \times "
        return f"{x:g}" if 1e-4 < x < 1e5 else rf"${times}10^{{{int(power)}}}$"


def logarithmic(axis):
    """Makes an x or y axis logarithmic, also labelled between the powers of ten if it spans few of them."""
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_major_formatter(PlainLog())
    axis.set_minor_formatter(PlainLog(labelOnlyBase=False, minor_thresholds=(1.5, 0.6)))


def fit_width(figure):
    """Moves the sides of the axes until everything fits exactly into the width of the figure, so that fonts have their
    size in print. Returns the box to save, as high as what is drawn, in inches."""
    width, renderer = figure.get_figwidth(), figure.canvas.get_renderer()
    legends = [child for ax in figure.axes for child in ax.get_children() if isinstance(child, Legend)]
    for legend in legends:  # legend_above has fitted them
        legend.set_in_layout(False)
    for _ in range(6):
        box, sides = figure.get_tightbbox(renderer), figure.subplotpars
        left, right = sides.left + (MARGIN - box.x0) / width, sides.right - (box.x1 - width + MARGIN) / width
        if right - left < 0.1 or abs(left - sides.left) + abs(right - sides.right) < 1e-3:
            break  # labels that leave no room for data; or all fits
        figure.subplots_adjust(left=left, right=right)
    for legend in legends:
        legend.set_in_layout(True)
    box = figure.get_tightbbox(renderer)
    return Bbox([[min(0, box.x0), box.y0 - MARGIN], [max(width, box.x1), box.y1 + MARGIN]])


def save(figure, out, crop=False):
    """Writes OUT.png and OUT.pdf as temporary files and renames them into place when both are complete. Links are
    followed, existing files keep their mode. `crop`: cut to what is drawn, not as wide as a column of a journal."""
    stem = out[:-4] if out.lower().endswith((".png", ".pdf")) else out
    require(os.path.basename(stem), f"--out '{out}': the name of a file is expected")
    pending = []
    for kind in ("png", "pdf"):
        final = os.path.realpath(f"{stem}.{kind}")
        require(final not in INPUTS, f"{stem}.{kind}: cannot be written: it is an input and would be lost")
        require(not os.path.islink(final), f"{stem}.{kind}: cannot be written: it is a circular link")
        require(os.path.isfile(final) or not os.path.exists(final), f"{stem}.{kind}: cannot be written: it exists and "
                "is not a regular file")
        require(not os.path.exists(final) or os.access(final, os.W_OK), f"{stem}.{kind}: cannot be written: it exists "
                "and is write-protected")
        require(OUTPUT["overwrite"] or not os.path.exists(final), f"{stem}.{kind}: cannot be written: it exists; "
                "--overwrite replaces it")
        pending.append((os.path.join(os.path.dirname(final), f".umbra-tmp.{os.getpid()}.{kind}"), final))
    try:
        box = "tight" if crop else fit_width(figure)
        for aside, _ in pending:
            dated = {"metadata": {"CreationDate": None}} if aside.endswith("pdf") else {}  # same figure, same bytes
            figure.savefig(aside, bbox_inches=box, pad_inches=MARGIN, **dated)
        for aside, final in pending:
            if os.path.exists(final):
                shutil.copymode(final, aside)
            os.replace(aside, final)
    except OSError as problem:
        raise PlotError(f"{stem}.png, {stem}.pdf: cannot be written ({problem.strerror or problem}): expected --out in "
                        "a folder that can be written") from problem
    finally:
        for aside, _ in pending:
            if os.path.exists(aside):
                os.remove(aside)
    print(f"wrote {stem}.png and {stem}.pdf")
